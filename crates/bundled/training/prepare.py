"""Everything is tokenised once, with its near neighbours, so that training time goes into training alone."""

import gzip
import pickle
import random
from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

import tokenizer as tokens
from corpus import Paragraph
from rank import Bm25, order_sentences
from sentences import language
from swap import Swaps

LONGEST_SENTENCE, LONGEST_TITLE, LONGEST_QUESTION = 90, 16, 48  # Tokens.
NEAR = 6
PASSAGES = 5
RANKED_SENTENCES = 12
# How many questions of each part are ranked as the pipeline would rank them.
RANKED = {"squad": 30_000, "jaquad": 2_500, "kobest": 14_000, "documents": 6_000, "natural": 2_500, "medquad": 2_500, "parallel": 0, "tables": 1_200, "cmrc": 300}


@dataclass
class Asked:
    """A question in token ids."""

    texts: list[list[int]]
    sentence: int
    holders: set[int]
    """Sentences of the paragraph in which the answer's words stand."""
    words: list[int]
    """The answer's own words as they stand in the sentence; empty when they are not known."""
    other: list[int] = field(default_factory=list)
    """The same question about something else (`swap.py`), which nothing answers; empty where there is none."""
    meaning: int = -1
    """The row of what it means (`meaning.py`); -1 where that is not known."""


@dataclass
class Source:
    """A paragraph in token ids."""

    title: list[int]
    sentences: list[list[int]]
    questions: list[Asked]
    near: list[int]
    """Paragraphs of the same part that match its questions best."""
    language: str
    meanings: list[int] = field(default_factory=list)
    """The rows of what the sentences mean."""


@dataclass
class Ranked:
    """A question with the sentences that the pipeline would put into its prompt, best first."""

    paragraph: int
    question: int
    sentences: list[tuple[int, int]]
    """Paragraph and sentence of each."""
    answerable: bool


def prepare(name: str, part: list[Paragraph], tokenizer: Path, seed: int) -> tuple[list[Source], list[Ranked]]:
    """One part as token ids, and a sample of its questions as the pipeline would ask them."""
    rng = random.Random(f"{seed} {name}")
    index = index_of(part)
    return sources(part, index, tokens.load(tokenizer), rng), ranked(name, part, index, rng)


def sources(part: list[Paragraph], index: Bm25, tokenizer: Tokenizer, rng: random.Random) -> list[Source]:
    found, swaps = [], Swaps(part, rng)
    for i, paragraph in enumerate(part):
        texts = [phrasings(question.text, rng) for question in paragraph.questions]
        others = [rng.choice(phrasings(swaps.other(paragraph, question) or "", rng)) for question in paragraph.questions]
        answers = [f" {question.answer or ''}" for question in paragraph.questions]
        flat = [paragraph.title, *paragraph.sentences, *(text for pair in texts for text in pair), *answers, *others]
        ids = iter([encoded.ids for encoded in tokenizer.encode_batch(flat, add_special_tokens=False)])
        title = next(ids)[:LONGEST_TITLE]
        sentences = [next(ids)[:LONGEST_SENTENCE] for _ in paragraph.sentences]
        asked = [[next(ids)[:LONGEST_QUESTION] for _ in pair] for pair in texts]
        words = [within(next(ids), sentences[question.sentence]) for question in paragraph.questions]
        questions = [
            Asked(text, question.sentence, holders(paragraph, question), answer, next(ids)[:LONGEST_QUESTION])
            for text, question, answer in zip(asked, paragraph.questions, words)
        ]
        found.append(Source(title, sentences, questions, near(i, paragraph, index, rng), language(paragraph.sentences[0])))
    return found


def within(words: list[int], sentence: list[int], longest: int = 10) -> list[int]:
    """The words if they stand in the sentence, token for token, and are few."""
    stands = any(sentence[i : i + len(words)] == words for i in range(len(sentence)))
    return words if 0 < len(words) <= longest and stands else []


def phrasings(question: str, rng: random.Random) -> list[str]:
    """A question as it stands, and as people type it into a search box."""
    casual = question.rstrip("?？ ")
    if language(question) == "en":
        casual = casual.lower().replace("'", rng.choice(["'", ""]))
    return [question, casual]


def holders(paragraph: Paragraph, question) -> set[int]:
    held = {i for i, s in enumerate(paragraph.sentences) if question.answer and question.answer in s}
    return held | {question.sentence}


def near(i: int, paragraph: Paragraph, index: Bm25, rng: random.Random) -> list[int]:
    asked = rng.sample(paragraph.questions, min(3, len(paragraph.questions)))
    query = " ".join(question.text for question in asked) or paragraph.sentences[0]
    return [j for j in index.search(query, NEAR + 1, commonest=0.02) if j != i][:NEAR]


def index_of(part: list[Paragraph]) -> Bm25:
    return Bm25([f"{p.title} {' '.join(p.sentences)}" for p in part])


def ranked(name: str, part: list[Paragraph], index: Bm25, rng: random.Random) -> list[Ranked]:
    """A sample of a part's questions over five passages found by words; a third of them without the right one."""
    questions = [(i, j) for i, p in enumerate(part) for j in range(len(p.questions))]
    rng.shuffle(questions)
    return [retrieve(part, index, i, j, rng.random() > 1 / 3, rng) for i, j in questions[: RANKED[name]]]


def retrieve(part: list[Paragraph], index: Bm25, i: int, j: int, answerable: bool, rng: random.Random) -> Ranked:
    question = part[i].questions[j]
    wrong = [k for k in index.search(question.text, 12, commonest=0.03) if k != i and not answers(part[k], question)]
    passages = wrong[: PASSAGES - answerable] + [i] * answerable
    rng.shuffle(passages)
    spots = [(k, s) for k in passages for s in range(len(part[k].sentences))]
    order = order_sentences(index, question.text, [(part[k].title, part[k].sentences[s]) for k, s in spots])
    return Ranked(i, j, [spots[o] for o in order[:RANKED_SENTENCES]], answerable)


def answers(paragraph: Paragraph, question) -> bool:
    """Whether the answer's words stand in a paragraph: then it is no wrong passage."""
    return bool(question.answer) and any(question.answer in sentence for sentence in paragraph.sentences)


def save(path: Path, value) -> None:
    partial = path.with_suffix(".partial")
    partial.write_bytes(gzip.compress(pickle.dumps(value), compresslevel=3))
    partial.replace(path)


def load(path: Path):
    return pickle.loads(gzip.decompress(path.read_bytes()))
