"""The material as paragraphs with questions: human ones where there are any, and ones made by rule."""

import gzip
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import korean
import tables
from rank import terms
from sentences import language, split


@dataclass
class Question:
    text: str
    sentence: int | None
    """Which sentence of the paragraph answers; `None` for one that none answers."""
    answer: str | None = None
    """The answer's own words, when they are known and stand in the sentence."""


@dataclass
class Paragraph:
    title: str
    sentences: list[str]
    group: str
    """Article or file: paragraphs of one group are near each other."""
    questions: list[Question] = field(default_factory=list)


# The share of training sequences that start from each part.
SHARES = {"squad": 0.38, "jaquad": 0.06, "kobest": 0.17, "documents": 0.10, "natural": 0.08, "medquad": 0.08, "parallel": 0.08, "tables": 0.04, "cmrc": 0.01}


def load(data: Path, rng: random.Random) -> dict[str, list[Paragraph]]:
    """All parts by name. Nothing is read but `train/` and `docs/`: the other folders measure."""
    squad, kobest = asked(read(data, "squad-train")), yes_or_no(read(data, "kobest-boolq-train"), rng)
    return {
        "squad": squad,
        "jaquad": asked(read(data, "jaquad-train")),
        "cmrc": asked(read(data, "cmrc2018-trial")),
        "kobest": kobest,
        "documents": documents(data / "docs", rng),
        "natural": natural(read(data, "pairs-heading-section"), rng),
        "medquad": medquad(read(data, "medquad-train")),
        "parallel": parallel(read(data, "parallel-en-ko"), rng),
        "tables": tabled({"en": names(squad), "ko": names(kobest)}, rng),
    }


def read(data: Path, name: str) -> list[dict]:
    return jsonl(data / "train" / f"{name}.jsonl.gz")


def jsonl(path: Path) -> list[dict]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def asked(rows: list[dict]) -> list[Paragraph]:
    """Contexts with human questions whose answers stand in them."""
    paragraphs = []
    for row in rows:
        title = row["title"].replace("_", " ")
        paragraph = Paragraph(title, split(row["context"]), title)
        for qa in row["qas"]:
            answer = qa["answers"][0] if qa["answers"] else ""
            at = answering(paragraph.sentences, qa["question"], answer)
            if answer and at is not None:
                paragraph.questions.append(Question(qa["question"], at, answer))
        paragraphs.append(paragraph)
    return paragraphs


def answering(sentences: list[str], question: str, answer: str) -> int | None:
    """Among the sentences with the answer's words, the one most like the question."""
    holding = [i for i, sentence in enumerate(sentences) if answer in sentence]
    return max(holding, key=lambda i: overlap(question, sentences[i]), default=None)


def overlap(question: str, sentence: str) -> float:
    wanted = set(terms(question))
    return len(wanted & set(terms(sentence))) / (len(wanted) or 1)


def yes_or_no(rows: list[dict], rng: random.Random) -> list[Paragraph]:
    """Korean paragraphs; their true-or-false statements are human paraphrases, which become questions too."""
    paragraphs = []
    for row in rows:
        statement, sentences = row["qas"][0]["question"], split(row["context"])
        title = main_term(statement, row["context"])
        paragraph = Paragraph(title, sentences, title or row["id"])
        for i, sentence in enumerate(sentences):
            paragraph.questions += [Question(q, i) for q in korean.questions(sentence, title if i else "", rng)]
        nearest = max(range(len(sentences)), key=lambda i: overlap(statement, sentences[i]))
        if overlap(statement, sentences[nearest]) > 0.35:
            direct = statement if statement.endswith("?") else korean.yes_no(statement, rng)
            made = [direct, direct] + korean.questions(statement, "", rng, 4)
            paragraph.questions += [Question(q, nearest) for q in made if q]
        if title and title in sentences[0]:
            paragraph.questions.append(Question(korean.about(title, rng), 0))
        paragraphs.append(paragraph)
    return paragraphs


def main_term(statement: str, context: str) -> str:
    """The topic of a statement, when the context speaks of it: a stand-in for the missing title."""
    first = statement.split()[0]
    ending = korean.particle(first)
    term = first[: -len(ending)] if ending else ""
    return term if term and term in context else ""


def documents(folder: Path, rng: random.Random) -> list[Paragraph]:
    """Korean Markdown by sections: each sentence asked for by rule, each heading asked about."""
    paragraphs = {}
    for name in ("korean-law", "python-ko", "react-ko"):
        for path in sorted((folder / name).rglob("*.md")):
            for title, heading, text in sections(path.read_text()):
                sentences = split(text)[:12]
                if language(text) != "ko" or not sentences:
                    continue
                paragraph = Paragraph(f"{title} {heading}".strip(), sentences, f"{name} {title}")
                for i, sentence in enumerate(sentences):
                    paragraph.questions += [Question(q, i) for q in korean.questions(sentence, "", rng, 2)]
                if heading:
                    term = re.sub(r"^제\d+조(의\d+)? ?", "", heading)
                    paragraph.questions += [Question(korean.about(term, rng), 0) for _ in range(2)]
                paragraphs["".join(sentences)] = paragraph
    return list(paragraphs.values())


def sections(markdown: str):
    """(document title, heading, text) of each section; code blocks are left out."""
    markdown = re.sub(r"```.*?(```|\Z)", "", markdown, flags=re.S)
    markdown = re.sub(r"^\s*(\d+\.|[-*])\s+", "", markdown, flags=re.M)
    markdown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)|<[^>\n]{1,80}>|[*`]{1,2}", r"\1", markdown)
    parts = re.split(r"^#+ +(.*)$", markdown, flags=re.M)
    title = parts[1].strip() if len(parts) > 1 else ""
    for heading, text in zip(parts[1::2], parts[2::2]):
        if len(text.strip()) > 40:
            yield title, "" if heading.strip() == title else heading.strip(), text.strip()


def natural(rows: list[dict], rng: random.Random) -> list[Paragraph]:
    """Searchers' questions with the text that answers, and headings with theirs."""
    paragraphs = []
    for row in rows:
        if row["src"] == "korean-law":
            continue  # The same sections come with `documents`.
        sentences = split(row["d"])[:10]
        if not sentences:
            continue
        title = "" if row["src"] == "clapnq-train" else row["q"]
        paragraph = Paragraph(title, sentences, row["src"])
        if row["src"] == "clapnq-train":
            best = max(range(len(sentences)), key=lambda i: overlap(row["q"], sentences[i]))
            paragraph.questions.append(Question(row["q"], best))
        elif row["lang"] == "ko":
            paragraph.questions += [Question(korean.about(row["q"], rng), 0)]
            paragraph.questions += [Question(q, i) for i, s in enumerate(sentences) for q in korean.questions(s, row["q"], rng, 2)]
        else:
            paragraph.questions.append(Question(rng.choice(("what is {}", "What is {}?", "What does {} mean?")).format(row["q"]), 0))
        paragraphs.append(paragraph)
    return paragraphs


def medquad(rows: list[dict]) -> list[Paragraph]:
    """Health questions; the first sentences of an answer are the answer."""
    paragraphs = []
    for row in rows:
        for qa in row["qas"]:
            sentences = [re.sub(r"^Key Points - ", "", s) for s in split(qa["answers"][0])][:8]
            first = next((i for i, s in enumerate(sentences) if not s.endswith("?")), None)
            if first is not None:
                question = Question(qa["question"].replace("(are) ", ""), first)
                paragraphs.append(Paragraph(row["title"], sentences, row["title"], [question]))
    return paragraphs


def parallel(rows: list[dict], rng: random.Random, length: int = 6) -> list[Paragraph]:
    """Runs of translated sentences, asked for in the other language by some of its words."""
    rows = [row for row in rows if len(row["en"]) > 60 and len(row["ko"]) > 25]
    paragraphs = []
    for start in range(0, len(rows) - length, length):
        run = [row for row in rows[start : start + length] if row["src"] == rows[start]["src"]]
        for here, there in (("ko", "en"), ("en", "ko")):
            paragraph = Paragraph("", [row[here][:400] for row in run], row_group(run))
            for i, row in enumerate(run):
                made = korean.questions(row["ko"], "", rng, 1) if there == "ko" else [some_words(row["en"], rng)]
                paragraph.questions += [Question(q, i) for q in made]
            paragraphs.append(paragraph)
    return paragraphs


def names(part: list[Paragraph]) -> list[str]:
    """Titles, as things to make tables of."""
    return sorted({paragraph.title for paragraph in part if 1 < len(paragraph.title) < 25})


def tabled(known: dict[str, list[str]], rng: random.Random, count: int = 1200) -> list[Paragraph]:
    """Tables, and lists that describe one thing, which is their title."""
    paragraphs = []
    for i in range(count):
        language = rng.choice(("en", "ko"))
        subject = rng.choice(known[language])
        if i % 2:
            title, (lines, questions) = "", tables.table(known[language], language, rng)
        else:
            title, (lines, questions) = subject, tables.sheet(subject, language, rng)
        paragraphs.append(Paragraph(title, lines, f"table {i}", [Question(text, at) for text, at in questions]))
    return paragraphs


def row_group(run: list[dict]) -> str:
    return "parallel " + run[0]["src"]


def some_words(sentence: str, rng: random.Random) -> str:
    """A stretch of an English sentence, sometimes behind question words."""
    words = sentence.rstrip(".").split()
    length = rng.randint(4, 9)
    start = rng.randrange(max(1, len(words) - length))
    return rng.choice(("", "", "what ", "how ", "Why ", "When ")) + " ".join(words[start : start + length])


def counts(parts: dict[str, list[Paragraph]]) -> dict[str, Counter]:
    """Paragraphs, sentences and questions in each part, for the log and the card."""
    return {
        name: Counter(
            paragraphs=len(part), sentences=sum(len(p.sentences) for p in part), questions=sum(len(p.questions) for p in part)
        )
        for name, part in parts.items()
    }
