"""Korean questions made by rule from Korean statements, for there is little Korean question data.

A noun phrase, a number or a date is taken out and asked for, either with a question word and an interrogative ending
(«로마는 언제 분열되었나요?») or as a relative clause before a noun (KorQuAD's favourite form: «로마가 분열된 해는?»).
The rules know no meaning; they need only be right often enough for a model to learn what such questions ask for.
"""

import random
import re

PARTICLES = ("에서는", "에게는", "에서", "에게", "으로", "까지", "부터", "은", "는", "이", "가", "을", "를", "에", "로", "의", "와", "과", "도")
DATE = re.compile(r"(\d{1,4}년)( ?\d{1,2}월)?( ?\d{1,2}일)?|\d{1,2}월 \d{1,2}일")
NUMBER = re.compile(r"(약 )?\d[\d,.]*(만|억|천|백)? ?(명|개국|개월|개|번|살|세|킬로미터|미터|km|kg|m|원|달러|위|층|편|권|차례|시간|분|초|퍼센트|%|일|년|배|종|가지|회)")
CLAUSE_END = re.compile(r"(?<=[고며나만서데])(?:,| ) ?(?=\S)|, ")
QUESTION_WORDS = {
    "은": ("누가", "무엇이", "어떤 것이"), "는": ("누가", "무엇이"), "이": ("누가", "무엇이"), "가": ("누가", "무엇이", "어느 쪽이"),
    "을": ("무엇을", "어떤 것을"), "를": ("무엇을", "누구를"), "에서": ("어디에서", "어디서"), "에서는": ("어디에서",),
    "에게": ("누구에게",), "에게는": ("누구에게",), "에": ("어디에", "무엇에"), "로": ("무엇으로", "어디로"), "으로": ("무엇으로", "어떤 것으로"),
    "의": ("누구의", "무엇의", "어느"), "와": ("누구와", "무엇과"), "과": ("누구와", "무엇과"), "부터": ("언제부터",), "까지": ("언제까지", "어디까지"), "도": ("무엇이",),
}  # fmt: skip
HEADS = {
    "date": ("해는", "때는", "시기는", "날짜는", "연도는", "것은 언제"), "number": ("수는", "것은 얼마", "개수는", "규모는", "숫자는"),
    "에서": ("곳은", "장소는", "나라는", "지역은", "도시는", "것은 어디"), "에": ("곳은", "장소는", "대상은"), "로": ("것은", "방법은"), "으로": ("것은", "방법은", "수단은"),
    "에게": ("사람은", "인물은", "대상은"), "을": ("것은", "대상은", "물건은", "작품은"), "를": ("것은", "대상은", "인물은"),
}  # fmt: skip
AGENT_HEADS = ("사람은", "인물은", "것은", "사람은 누구", "것은 무엇", "단체는", "나라는", "기관은", "곳은", "용어는", "이름은")
TAILS = ("?", "?", "인가?", "인가요?", "입니까?", "무엇인가?", "무엇인가요?")
ABOUT = ("{0} 무엇인가요?", "{0} 무엇인가?", "{0} 무엇입니까?", "{0} 뭐야?", "{0} 뭔가요?", "{1}에 대해 알려주세요.", "{1}에 대해 설명해 주세요.", "{1} 설명", "{1}란?", "{1}의 뜻은?", "{1}의 정의는?")  # fmt: skip
SYNONYMS = [("설립", "창설"), ("사망", "별세"), ("시작", "개시"), ("만들", "제작하"), ("사용", "이용"), ("발표", "공개"), ("위치", "자리"), ("불린", "일컬어진"), ("대부분", "대다수"), ("다양한", "여러"), ("매우", "아주"), ("주로", "대개"), ("가장", "제일"), ("전체", "모든"), ("필요", "요구"), ("발생", "일어나"), ("증가", "늘어"), ("종료", "끝"), ("지급", "지불"), ("근로자", "직원"), ("사용자", "회사"), ("임금", "월급")]  # fmt: skip


def questions(sentence: str, title: str, rng: random.Random, most: int = 3) -> list[str]:
    """Up to `most` different questions that the sentence answers. `title` may be empty."""
    made = set()
    for _ in range(2 * most):
        question = one(sentence, title, rng)
        if question and 8 <= len(question) <= 120:
            made.add(question)
        if len(made) == most:
            break
    return sorted(made)


def one(sentence: str, title: str, rng: random.Random) -> str | None:
    words = clause(sentence.rstrip(" ."), rng).split()
    if len(words) < 3:
        return None
    predicate = words[-1]
    taken = take(words[:-1], rng)
    if taken is None:
        return None
    rest, place, kind, asked = taken
    rest = thin(rest, rng)
    if title and title not in sentence and rng.random() < 0.6:
        rest.insert(0, title + rng.choice([subject(title), topic(title), "의"]))
        place += 1
    if rng.random() < 0.5:
        return relative(rest, predicate, kind, rng)
    ending = interrogative(predicate, rng)
    if ending is None:
        return None
    place = rng.choice([min(place, len(rest)), len(rest), len(rest)])
    return vary(" ".join(rest[:place] + [asked] + rest[place:] + [ending]), rng)


def yes_no(statement: str, rng: random.Random) -> str | None:
    """«비글은 영리하다.» as a question."""
    words = statement.rstrip(" .").split()
    ending = interrogative(words[-1], rng) if words else None
    return " ".join(words[:-1] + [ending]) if ending else None


def about(term: str, rng: random.Random) -> str:
    """A question for what a heading or a term means."""
    return rng.choice(ABOUT).format(term + topic(term), term)


def clause(sentence: str, rng: random.Random) -> str:
    """The last one or two clauses of a long sentence."""
    parts = CLAUSE_END.split(sentence)
    keep = rng.choice([1, 2, 2, 3, len(parts)])
    while len(" ".join(parts[-keep:]).split()) < 4 and keep < len(parts):
        keep += 1
    return " ".join(" ".join(parts[-keep:]).split()[-14:])


def take(words: list[str], rng: random.Random):
    """What is asked for: (the other words, where it stood, its kind, the question word), or None."""
    text = " ".join(words)
    for pattern, kind in ((DATE, "date"), (NUMBER, "number")):
        found = pattern.search(text)
        if found and rng.random() < 0.7:
            unit = "언제" if kind == "date" else rng.choice(["몇 " + found.group(3), "얼마나", "몇 " + found.group(3)])
            before, after = text[: found.start()].split(), text[found.end() :]
            after = re.sub(r"^(에는|에|부터|까지|이|가|을|를|은|는|의)(?= |$)", "", after).split()
            return before + after, len(before), kind, unit
    places = [(i, particle(word)) for i, word in enumerate(words) if particle(word)]
    if not places:
        return None
    i, ending = rng.choice(places)
    start = i
    while start > 0 and i - start < 2 and not particle(words[start - 1]) and not words[start - 1].endswith(("고", "며", "서", ",", "면")):
        start -= 1
    return words[:start] + words[i + 1 :], start, ending, rng.choice(QUESTION_WORDS[ending])


def particle(word: str) -> str | None:
    """The case particle at the end of a word, when a noun of two syllables or more stands before it."""
    for ending in PARTICLES:
        if word.endswith(ending) and len(word) - len(ending) >= 2 and ending in QUESTION_WORDS:
            return ending if agrees(word[-len(ending) - 1], ending) else None
    return None


def agrees(before: str, ending: str) -> bool:
    """Whether the particle has the form that the syllable before it asks for."""
    if not hangul(before):
        return True
    closed = jamo(before)[2] > 0
    return closed if ending in ("은", "이", "을", "과", "으로") else not closed if ending in ("는", "가", "를", "와") else True


def thin(words: list[str], rng: random.Random) -> list[str]:
    """Some words fall away, as a question seldom repeats a whole sentence."""
    rate = rng.choice([0, 0.15, 0.3, 0.45])
    kept = [word for word in words if rng.random() >= rate]
    return kept if len(kept) >= 2 else words


def relative(words: list[str], predicate: str, kind: str, rng: random.Random) -> str | None:
    """«로마가 분열된 해는?»"""
    modifier = adnominal(predicate)
    if modifier is None:
        return None
    words = [w[:-1] + subject(w[:-1]) if w.endswith(("은", "는")) and particle(w) else w for w in words]
    head = rng.choice(HEADS.get(kind, AGENT_HEADS))
    tail = rng.choice(TAILS)
    if " " in head:
        tail = rng.choice(["인가?", "인가요?", "입니까?", "?"])
    elif tail.startswith(("인", "입")):
        tail = "?"
    join = " " if tail.startswith("무엇") else ""
    return vary(" ".join(words + [modifier, head]) + join + tail, rng)


def vary(question: str, rng: random.Random) -> str:
    """Now and then another word for the same thing, and no question mark."""
    for old, new in SYNONYMS:
        if old in question and rng.random() < 0.4:
            question = question.replace(old, new)
    return question.rstrip("?") if rng.random() < 0.1 else question


def interrogative(predicate: str, rng: random.Random) -> str | None:
    """A declarative predicate as a question: «하였다» as «하였나요?», in a plain or a polite style."""
    if predicate.endswith("입니다"):
        return predicate[:-3] + rng.choice(["인가요?", "입니까?", "인가?"])
    if predicate.endswith("습니다"):
        return predicate[:-3] + rng.choice(["나요?", "습니까?", "는가?"])
    if predicate.endswith("니다") and len(predicate) > 2 and hangul(predicate[-3]) and jamo(predicate[-3])[2] == 17:
        return predicate[:-3] + with_final(predicate[-3], 0) + rng.choice(["나요?", "는가?", "는지요?"])
    if not predicate.endswith("다") or len(predicate) < 2 or not hangul(predicate[-2]):
        return None
    stem, last = predicate[:-1], jamo(predicate[-2])[2]
    if predicate.endswith("이다"):
        return predicate[:-2] + rng.choice(["인가?", "인가요?", "입니까?"])
    if predicate.endswith("는다"):
        return predicate[:-2] + rng.choice(["는가?", "나요?", "습니까?", "니?"])
    if last in (20, 18):  # The finals of 했, 있 and 없.
        return stem + rng.choice(["는가?", "나요?", "습니까?", "나?", "어?"])
    if last == 4:  # The final of 한다.
        open_stem = predicate[:-2] + with_final(predicate[-2], 0)
        polite = predicate[:-2] + with_final(predicate[-2], 17) + "니까?"
        return rng.choice([open_stem + "는가?", open_stem + "나요?", polite, open_stem + "나?"])
    return None


def adnominal(predicate: str) -> str | None:
    """A predicate as it stands before a noun: «설립했다» as «설립한», «열린다» as «열리는»."""
    for polite, plain in (("습니다", "다"), ("입니다", "이다")):
        if predicate.endswith(polite):
            predicate = predicate[: -len(polite)] + plain
    if predicate.endswith("니다") and len(predicate) > 2 and hangul(predicate[-3]) and jamo(predicate[-3])[2] == 17:
        return predicate[:-3] + with_final(predicate[-3], 0) + "는"
    if not predicate.endswith("다") or len(predicate) < 2 or not hangul(predicate[-2]):
        return None
    body, syllable = predicate[:-2], predicate[-2]
    first, vowel, last = jamo(syllable)
    if predicate.endswith("이다"):
        return predicate[:-2] + "인"
    if syllable in "있없":
        return predicate[:-1] + "는"
    if syllable == "는":
        return predicate[:-1]
    if last == 4:
        return body + with_final(syllable, 0) + "는"
    if last == 20:
        return past_adnominal(body, syllable, first, vowel)
    return body + (with_final(syllable, 4) if last == 0 else syllable + "은")


def past_adnominal(body: str, syllable: str, first: int, vowel: int) -> str | None:
    """«받았다» as «받은», «하였다» as «한», «열렸다» as «열린»."""
    if syllable in "았었였" and body and hangul(body[-1]):
        open_end = jamo(body[-1])[2] == 0
        return body[:-1] + with_final(body[-1], 4) if open_end else body + "은"
    if syllable in "았었였":
        return None
    plain = {6: 20, 9: 8, 14: 13, 1: 0, 10: 11}.get(vowel, vowel)  # ㅕ ㅘ ㅝ ㅐ ㅙ as ㅣ ㅗ ㅜ ㅏ ㅚ.
    return body + chr(0xAC00 + (first * 21 + plain) * 28 + 4)


def subject(noun: str) -> str:
    return "이" if closed(noun) else "가"


def topic(noun: str) -> str:
    return "은" if closed(noun) else "는"


def closed(noun: str) -> bool:
    return bool(noun) and hangul(noun[-1]) and jamo(noun[-1])[2] > 0


def hangul(character: str) -> bool:
    return "가" <= character <= "힣"


def jamo(syllable: str) -> tuple[int, int, int]:
    """Initial, vowel and final of a syllable (The Unicode Standard, section 3.12)."""
    code = ord(syllable) - 0xAC00
    return code // 588, code // 28 % 21, code % 28


def with_final(syllable: str, final: int) -> str:
    first, vowel, _ = jamo(syllable)
    return chr(0xAC00 + (first * 21 + vowel) * 28 + final)
