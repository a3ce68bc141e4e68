"""Questions, each with sentences of which one answers it or none does: what the reader learns from."""

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

import corpus
from corpus import Paragraph, Question
from prepare import holders, index_of, phrasings, retrieve
from swap import Swaps

STAGES = [
    {"squad": 30_000, "jaquad": 8_000, "kobest": 6_000, "documents": 4_000, "natural": 3_500, "medquad": 2_500, "parallel": 5_000, "tables": 700, "cmrc": 300},
    {"written-ko": 8_000, "written-en": 3_500, "squad": 2_500, "tydi-en": 2_000, "tydi-ko": 1_600, "natural": 800, "parallel": 600, "medquad": 400, "jaquad": 200, "tables": 200, "kobest": 150, "cmrc": 50},
]
"""How many questions of each part are read: first those that there are many of, then those that are most like what people ask."""
WRITTEN = Path(__file__).parent / "written"
"""Questions written for the reader: everyday ones, and near ones that have no answer."""
BESIDE = [4, 3]
"""Sentences that do not answer, beside the one that does, in each stage."""
ELSEWHERE = 0.25
"""The share of questions about something else, which the sentence beside them does not answer."""
UNTITLED = 0.1
LONGEST_QUESTION, LONGEST_SENTENCE = 48, 110  # Tokens.


@dataclass
class Asked:
    """A question and sentences under their titles, in token ids."""

    question: list[int]
    sentences: list[list[int]]
    answerable: bool
    """The first sentence answers; otherwise none does."""


def load(data: Path, tokenizer: Path, stage: int, seed: int, processes: int) -> list[Asked]:
    """All parts of a stage, in a random order."""
    rng = random.Random(seed)
    parts = corpus.load(data, rng) | as_people_ask(data)
    with ProcessPoolExecutor(processes) as pool:
        jobs = [pool.submit(asked, name, parts[name], stage, tokenizer, seed) for name in STAGES[stage]]
        found = [group for job in jobs for group in job.result()]
    rng.shuffle(found)
    return found


def as_people_ask(data: Path) -> dict[str, list[Paragraph]]:
    """Questions of those who did not know the answer (TyDi QA), and those written for the reader."""
    told = {f"tydi-{language}": corpus.asked(corpus.read(data, f"tydiqa-{language}-train")) for language in ("ko", "en")}
    return told | {f"written-{language}": written(WRITTEN / f"{language}.jsonl.gz") for language in ("ko", "en")}


def written(path: Path) -> list[Paragraph]:
    paragraphs = []
    for row in corpus.jsonl(path):
        if row["fold"] == "check":
            continue
        questions = [Question(text, sentence) for text, sentence in row["questions"]]
        paragraphs.append(Paragraph(row["title"], row["sentences"], row["group"], questions))
    return paragraphs


def asked(name: str, part: list[Paragraph], stage: int, tokenizer: Path, seed: int) -> list[Asked]:
    rng = random.Random(f"{seed} pairs {name}")
    index, swaps = index_of(part), Swaps(part, rng)
    questions = [(i, j) for i, paragraph in enumerate(part) for j in range(len(paragraph.questions))]
    rng.shuffle(questions)
    texts = [group(part, index, swaps, i, j, BESIDE[stage], rng) for i, j in questions[: STAGES[stage][name]]]
    encode = Tokenizer.from_file(str(tokenizer)).encode_batch
    flat = iter([encoded.ids for encoded in encode([text for question, told, _ in texts for text in (question, *told)], add_special_tokens=False)])
    return [Asked(next(flat)[:LONGEST_QUESTION], [next(flat)[:LONGEST_SENTENCE] for _ in told], answerable) for _, told, answerable in texts]


def group(part: list[Paragraph], index, swaps: Swaps, i: int, j: int, beside: int, rng: random.Random) -> tuple[str, list[str], bool]:
    """A question with its sentence, if it has one, and ones that share its words, from the same passage and from others found by words."""
    paragraph, question = part[i], part[i].questions[j]
    answered = question.sentence is not None
    answering = {(i, s) for s in holders(paragraph, question)}
    wrong = [spot for spot in retrieve(part, index, i, j, True, rng).sentences if spot not in answering]
    near, far = wrong[: beside // 2], wrong[beside // 2 :]
    other = swaps.other(paragraph, question) if answered and rng.random() < ELSEWHERE else None
    spots = [(i, question.sentence)] * answered + near
    spots += rng.sample(far, min(len(far), beside + 1 - len(spots)))
    text = rng.choice(phrasings(other or question.text, rng))
    return text, [titled(part[k].title, part[k].sentences[s], rng) for k, s in spots], answered and other is None


def titled(title: str, sentence: str, rng: random.Random) -> str:
    """As the pipeline gives it to the reader."""
    return f"{title}. {sentence}" if title and rng.random() > UNTITLED else sentence
