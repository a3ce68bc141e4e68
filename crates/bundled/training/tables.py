"""Tables and lists with questions: rows and items as they stand in documents, filled with names and numbers by chance.

Nothing in them is true, so nothing can be remembered: the row must be found by its name, the item by what it is of.
"""

import random

# What can be said of a thing: (name, its values, how one asks for it), and the same in Korean.
ATTRIBUTES = {
    "en": (
        ("price", "${}", ("How much is {}?", "What does {} cost?", "price of {}")),
        ("population", "{},000", ("How many people live in {}?", "What is the population of {}?")),
        ("height", "{} m", ("How tall is {}?", "How high is {}?", "What is the height of {}?")),
        ("founded", "19{:02}", ("When was {} founded?", "In which year was {} set up?", "What year did {} start?")),
        ("capacity", "{} seats", ("How many seats does {} have?", "How many people fit into {}?")),
        ("deadline", "{} June", ("By when must {} be handed in?", "What is the deadline for {}?", "When is {} due?")),
        ("phone", "555-{:04}", ("What is the phone number of {}?", "How can I call {}?")),
        ("owner", "team {}", ("Who is responsible for {}?", "Whom do I ask about {}?", "Who owns {}?")),
        ("version", "{}.2", ("Which version of {} is in use?", "What version is {} at?")),
        ("dose", "{} mg", ("How much {} is taken at once?", "What is the dose of {}?")),
    ),
    "ko": (
        ("가격", "{}원", ("{}의 가격은 얼마인가요?", "{} 얼마예요?", "{} 값은?")),
        ("인구", "{}만 명", ("{}의 인구는 몇 명인가요?", "{}에는 몇 명이 사나요?", "{} 인구는?")),
        ("높이", "{}m", ("{}의 높이는 얼마인가요?", "{}는 얼마나 높나요?")),
        ("설립", "19{:02}년", ("{}는 언제 세워졌나요?", "{}의 설립 연도는?", "{}는 몇 년에 만들어졌어?")),
        ("정원", "{}명", ("{}에는 몇 명까지 들어갈 수 있나요?", "{}의 정원은?")),
        ("마감", "6월 {}일", ("{}의 마감은 언제인가요?", "{}는 언제까지 내야 하나요?", "{} 기한은?")),
        ("전화번호", "02-555-{:04}", ("{}의 전화번호는 무엇인가요?", "{}에 전화하려면 몇 번으로 걸어야 하나요?")),
        ("담당", "{}팀", ("{}의 담당은 누구인가요?", "{}는 어느 팀이 맡고 있나요?", "{}는 어디에 물어봐야 해?")),
        ("휴가", "{}일", ("{}의 휴가는 며칠인가요?", "{}는 며칠을 쉴 수 있나요?")),
        ("용량", "{}mg", ("{}의 용량은 얼마인가요?", "{}는 한 번에 얼마나 먹나요?")),
    ),
}
COLUMNS, ROWS = (2, 4), (4, 10)


def table(names: list[str], language: str, rng: random.Random) -> tuple[list[str], list[tuple[str, int]]]:
    """Lines of a Markdown table, and questions with the line that answers each."""
    chosen = rng.sample(ATTRIBUTES[language], rng.randint(*COLUMNS))
    rows = rng.sample(names, min(len(names), rng.randint(*ROWS)))
    lines = [line([{"en": "name", "ko": "이름"}[language], *(name for name, _, _ in chosen)])]
    lines += [line([row, *(value(form, rng) for _, form, _ in chosen)]) for row in rows]
    asked = rng.sample(range(len(rows)), min(5, len(rows)))
    return lines, [(rng.choice(rng.choice(chosen)[2]).format(rows[i]), i + 1) for i in asked]


def sheet(name: str, language: str, rng: random.Random) -> tuple[list[str], list[tuple[str, int]]]:
    """Items of a list that describes one thing, and questions with the item that answers each."""
    chosen = rng.sample(ATTRIBUTES[language], rng.randint(4, len(ATTRIBUTES[language])))
    mark = rng.choice(("- ", "* ", ""))
    lines = [f"{mark}{rng.choice((what, what.capitalize()))}: {value(form, rng)}" for what, form, _ in chosen]
    return lines, [(rng.choice(asking).format(name), i) for i, (_, _, asking) in enumerate(chosen)]


def line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def value(form: str, rng: random.Random) -> str:
    return form.format(rng.randint(1, 99))
