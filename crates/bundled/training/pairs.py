"""Questions, each with sentences of which one answers it or none does: what the reader learns from."""

import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

import corpus
from corpus import Paragraph
from prepare import holders, index_of, phrasings, retrieve
from swap import Swaps

COUNTS = {"squad": 30_000, "jaquad": 8_000, "kobest": 6_000, "documents": 4_000, "natural": 3_500, "medquad": 2_500, "parallel": 5_000, "tables": 700, "cmrc": 300}
"""How many questions of each part are read."""
BESIDE = 4
"""Sentences that do not answer, beside the one that does."""
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


def load(data: Path, tokenizer: Path, seed: int, processes: int) -> list[Asked]:
    """All parts, in a random order."""
    rng = random.Random(seed)
    parts = corpus.load(data, rng)
    with ProcessPoolExecutor(processes) as pool:
        jobs = [pool.submit(asked, name, part, tokenizer, seed) for name, part in parts.items()]
        found = [group for job in jobs for group in job.result()]
    rng.shuffle(found)
    return found


def asked(name: str, part: list[Paragraph], tokenizer: Path, seed: int) -> list[Asked]:
    rng = random.Random(f"{seed} pairs {name}")
    index, swaps = index_of(part), Swaps(part, rng)
    questions = [(i, j) for i, paragraph in enumerate(part) for j in range(len(paragraph.questions))]
    rng.shuffle(questions)
    texts = [group(part, index, swaps, i, j, rng) for i, j in questions[: COUNTS[name]]]
    encode = Tokenizer.from_file(str(tokenizer)).encode_batch
    flat = iter([encoded.ids for encoded in encode([text for question, told, _ in texts for text in (question, *told)], add_special_tokens=False)])
    return [Asked(next(flat)[:LONGEST_QUESTION], [next(flat)[:LONGEST_SENTENCE] for _ in told], answerable) for _, told, answerable in texts]


def group(part: list[Paragraph], index, swaps: Swaps, i: int, j: int, rng: random.Random) -> tuple[str, list[str], bool]:
    """A question with its sentence and ones that share its words, from the same passage and from others found by words."""
    paragraph, question = part[i], part[i].questions[j]
    right = (i, question.sentence)
    answering = {(i, s) for s in holders(paragraph, question)}
    wrong = [spot for spot in retrieve(part, index, i, j, True, rng).sentences if spot not in answering]
    near, far = wrong[: BESIDE // 2], wrong[BESIDE // 2 :]
    other = swaps.other(paragraph, question) if rng.random() < ELSEWHERE else None
    spots = [right, *near, *rng.sample(far, min(len(far), BESIDE - len(near)))]
    text = rng.choice(phrasings(other or question.text, rng))
    return text, [titled(part[k].title, part[k].sentences[s], rng) for k, s in spots], other is None


def titled(title: str, sentence: str, rng: random.Random) -> str:
    """As the pipeline gives it to the reader."""
    return f"{title}. {sentence}" if title and rng.random() > UNTITLED else sentence
