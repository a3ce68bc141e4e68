"""Training sequences: numbered sentences, then questions.

In a shared sequence many questions follow one context, each seeing the context and itself only, which is what a
prompt with one question looks like to the model, at a tenth of the price. In a ranked sequence the sentences stand as
the pipeline finds them, best first, with the one question that they were found for.
"""

import random
from dataclasses import dataclass, field

import torch

import fewshot
import summary
from prepare import Asked, Ranked, Source
from tokenizer import ANSWER, BEST, BOS, END, EOS, MOST_SOURCES, NUMBER, PAD, QUESTION, SHORT, SIZE, SPECIAL, TITLE

CONTEXT_WEIGHT, HINT_WEIGHT, COPY_WEIGHT, SECOND_WEIGHT, POINTER_WEIGHT, RANKED_WEIGHT = 0.1, 0.25, 0.2, 0.5, 1.0, 2.0
"""How much it matters to predict a token of the context, the source that a question's word points at, the answer's
bare words, what follows the first number, and the first number; in a ranked sequence, which has a single question, it
matters more. They also tell these apart."""
CONTEXT_SHARE = 0.12
"""The share of the context's tokens that is predicted too, for the sake of the language."""
SHORT_SHARE = 0.15
"""The share of questions with known answers that ask for the bare words instead: it teaches what a question asks for."""
SUMMARY_SHARE = 0.25
"""The share of shared sequences in which one question asks for a summary."""
OTHER_SHARE = 0.2
"""The share of answered questions that are asked about something else too (`swap.py`); of ranked ones, that are so instead."""
THIN_SHARE = 0.3
"""The share of questions that lose some of the words which the answering sentence has too: people ask in other words."""

MORE = 64
"""Tokens of a ranked sequence that are left to more questions, which do not know that the best match stands first."""
ELSEWHERE_SHARE = 0.5
"""The share of ranked sequences whose wrong passages are of other articles: a question of which nothing is known."""


@dataclass(frozen=True)
class Stage:
    """How long and how hard sequences are for a while."""

    until: float
    """Share of the whole training at which the stage ends."""
    length: int
    sources: int
    ranked: float
    """Share of ranked sequences; the others are shared ones."""
    runs: float
    """Share of questions that are mere pieces of a sentence: what they ask for is plain, so matching forms on them."""


STAGES = (
    Stage(until=0.06, length=192, sources=4, ranked=0.0, runs=0.3),
    Stage(until=0.30, length=352, sources=8, ranked=0.2, runs=0.05),
    Stage(until=1.01, length=448, sources=12, ranked=0.5, runs=0.0),
)


@dataclass
class Sequence:
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    """0 in the context, then the number of the question."""
    blocks: list[int] = field(default_factory=list)
    """The number of the source; 0 outside sources."""
    targets: list[int] = field(default_factory=list)
    """What each token should be followed by."""
    weights: list[float] = field(default_factory=list)
    """How much that matters."""
    meanings: list[int] = field(default_factory=list)
    """The row of what the sentence or the question means, at the token that closes it; -1 elsewhere."""

    def add(self, ids, start: int, branch: int, block: int, targets=0, weights=0.0, meaning=-1) -> None:
        """`meaning` is put to the token that closes a source or a question, if there is one."""
        self.ids += ids
        self.positions += range(start, start + len(ids))
        self.branches += [branch] * len(ids)
        self.blocks += [block] * len(ids)
        self.targets += targets if isinstance(targets, list) else [targets] * len(ids)
        self.weights += weights if isinstance(weights, list) else [weights] * len(ids)
        self.meanings += [meaning if id in (END, ANSWER) else -1 for id in ids]


@dataclass(frozen=True)
class Layout:
    """How sources lie beside each other."""

    block: bool
    """Every source sees the beginning and itself only, and its positions start at the same place."""


class Batches:
    """Draws sequences of all parts by their shares. The caller seeds `rng`."""

    def __init__(self, parts: dict[str, list[Source]], ranked: dict[str, list[Ranked]], shares, digits: list[int], wordings):
        self.parts, self.ranked, self.digits = parts, ranked, digits
        self.summaries, self.example_words = wordings
        self.names, self.shares = zip(*shares.items())
        self.asked = {name: [i for i, s in enumerate(part) if s.questions] for name, part in parts.items()}
        self.rng = random.Random()

    def batch(self, stage: Stage, size: int, layout: Layout) -> dict[str, torch.Tensor]:
        return stack([self.sequence(stage, layout) for _ in range(size)], stage.length)

    def sequence(self, stage: Stage, layout: Layout) -> Sequence:
        while True:
            name = self.rng.choices(self.names, self.shares)[0]
            if self.rng.random() < stage.ranked:
                made = self.retrieved(name, stage, layout) if self.ranked.get(name) else None
            else:
                made = self.shared(name, stage, layout)
            if made and (POINTER_WEIGHT in made.weights or RANKED_WEIGHT in made.weights):
                return disguise(made, self.digits, self.rng)

    def shared(self, name: str, stage: Stage, layout: Layout) -> Sequence | None:
        """Some sentences of a paragraph and its neighbours, and every question about them that finds room; None when no sentence fits."""
        rng, part = self.rng, self.parts[name]
        first = rng.choice(self.asked[name])
        others = [k for k in part[first].near if rng.random() < 0.6]
        spots = [(first, s) for s in range(len(part[first].sentences))]
        spots = rng.sample(spots, min(len(spots), stage.sources))
        around = [(k, s) for k in others for s in range(len(part[k].sentences))]
        spots += rng.sample(around, min(len(around), max(0, rng.randint(min(2, stage.sources), stage.sources) - len(spots))))
        spots = fitting(part, spots, int(stage.length * 0.55))
        rng.shuffle(spots)
        if rng.random() < 0.5:  # Half the time in the order of the paragraphs.
            spots.sort(key=lambda spot: (spots_rank(spot, first, others), spot[1]))
        if not spots:
            return None
        sequence, start = self.context(part, spots, layout)
        asked = self.askable(part, spots, [first, *others])
        branch = 0
        if rng.random() < SUMMARY_SHARE and len(spots) > 3:
            branch += self.sum_up(sequence, start, part, spots, stage)
        self.ask_all(sequence, start, branch, asked, part, spots, stage)
        return sequence

    def ask_all(self, sequence, start: int, branch: int, asked, part, spots, stage: Stage) -> None:
        """Asks on until three questions found no room or there are none left."""
        missed = 0
        while missed < 3 and (asked or stage.runs):
            pieces = not asked or self.rng.random() < stage.runs
            question, numbers = self.pieces(part, spots) if pieces else asked.pop()
            branch += 1
            missed += not self.ask(sequence, start, branch, question, numbers, part, spots, stage)

    def sum_up(self, sequence, start: int, part, spots, stage: Stage) -> bool:
        """Asks for a summary: the most central sentences, in the order in which they stand."""
        chosen = summary.central([part[k].sentences[s] for k, s in spots])
        source = part[spots[0][0]]
        before, behind = self.rng.choice(self.summaries[source.language])
        question = [BEST, *before, *([] if behind is None else [*source.title, *behind]), ANSWER]
        answer = [NUMBER + 1 + i for i in chosen]
        if len(sequence.ids) + len(question) + len(answer) > stage.length:
            return False
        weights = [0.0] * (len(question) - 1) + [SECOND_WEIGHT] * (len(answer) + 1)
        sequence.add(question + answer, start, 1, 0, [0] * (len(question) - 1) + [*answer, EOS], weights)
        return True

    def pieces(self, part, spots) -> tuple[Asked, set[int]]:
        """A few runs of tokens of one of the sentences, or of a sentence that is not there."""
        number = self.rng.randint(1, len(spots))
        k, s = spots[number - 1]
        sentence = part[k].sentences[s]
        if self.rng.random() < 0.2:
            number, sentence = 0, self.rng.choice(self.rng.choice(part).sentences)
        starts = [self.rng.randrange(max(1, len(sentence) - 2)) for _ in range(self.rng.randint(1, 4))]
        return Asked([[t for start in starts for t in sentence[start : start + self.rng.randint(2, 5)]]], s, {s}, []), {number}

    def askable(self, part, spots, paragraphs) -> list[tuple[Asked, set[int]]]:
        """Questions with the numbers of the sources that answer, 0 where none does; about a third are such."""
        numbers = {spot: n for n, spot in enumerate(spots, 1)}
        answered, refused = [], []
        for k in paragraphs:
            for question in part[k].questions:
                right = answering(k, question, numbers)
                (answered if right else refused).append((question, right or {0}))
        self.rng.shuffle(refused)
        answered = self.rng.sample(answered, min(len(answered), 16))
        answered += [(about_other(question), {0}) for question, _ in answered if question.other and self.rng.random() < OTHER_SHARE]
        mixed = answered + refused[: (len(answered) + self.rng.randint(0, 1)) // 2]
        self.rng.shuffle(mixed)
        return mixed

    def retrieved(self, name: str, stage: Stage, layout: Layout) -> Sequence | None:
        part, ranked = self.parts[name], self.rng.choice(self.ranked[name])
        question = part[ranked.paragraph].questions[ranked.question]
        room = stage.length - max(map(len, [*question.texts, question.other])) - 6 - MORE
        found = ranked.sentences
        if self.rng.random() < ELSEWHERE_SHARE:
            elsewhere = [(k, s) for k, s in found if k == ranked.paragraph or part[k].title != part[ranked.paragraph].title]
            found = elsewhere if len(elsewhere) > 3 else found
        spots = fitting(part, found[: self.rng.randint(6, stage.sources)], room)
        if not spots:
            return None
        numbers = {spot: n for n, spot in enumerate(spots, 1)}
        right = answering(ranked.paragraph, question, numbers) if ranked.answerable else set()
        sequence, start = self.context(part, spots, layout)
        more = self.askable(part, spots, [ranked.paragraph])
        if question.other and self.rng.random() < OTHER_SHARE:
            question, right = about_other(question), set()
        self.ask(sequence, start, 1, question, right or {0}, part, spots, stage, ranked=True)
        self.ask_all(sequence, start, 1, more, part, spots, stage)
        return sequence

    def context(self, part, spots, layout: Layout) -> tuple[Sequence, int]:
        """The sources of a prompt, and the position at which questions start."""
        sequence = Sequence()
        sequence.add([BOS], 0, 0, 0)
        start = furthest = 1
        for number, (k, s) in enumerate(spots, 1):
            ids = [NUMBER + number, *part[k].title, TITLE, *part[k].sentences[s], END]
            weights = [CONTEXT_WEIGHT * (self.rng.random() < CONTEXT_SHARE) for _ in ids]
            sequence.add(ids, start, 0, number, [*ids[1:], 0], [*weights[1:], 0.0], part[k].meanings[s])
            furthest = max(furthest, start + len(ids))
            start = 1 if layout.block else furthest
        return sequence, furthest

    def ask(self, sequence, start: int, branch: int, question: Asked, right: set[int], part, spots, stage: Stage, ranked=False) -> bool:
        """Adds a question and its answer, unless there is no room.

        Each word of the question should point at the source too: so many small tasks make pointing form, one does not.
        The answer ends behind a right number, and goes on with a right one behind a wrong one.
        """
        text, number = self.rng.choice(question.texts), self.rng.choice(sorted(right))
        if number and self.rng.random() < THIN_SHARE:
            k, s = spots[number - 1]
            said = set(part[k].sentences[s])
            text = [t for t in text if t not in said or self.rng.random() > 0.4]
        hints, opener = HINT_WEIGHT if number else 0.0, BEST if ranked else QUESTION
        shown = fewshot.examples(part, self.example_words[part[spots[0][0]].language], self.rng) if self.rng.random() < fewshot.SHARE else []
        bare = not ranked and number and question.words and self.rng.random() < SHORT_SHARE
        before = [0.0] * (1 + len(shown)) if shown else [hints]
        if bare:
            ids = [opener, *shown, *text, SHORT, *question.words]
            targets = [NUMBER + number] * (1 + len(shown) + len(text)) + [*question.words, EOS]
            weights = before + [hints] * len(text) + [COPY_WEIGHT] * (1 + len(question.words))
        else:
            said = number if number == 0 or self.rng.random() < 0.5 else self.rng.randint(1, len(spots))
            after = EOS if said in right else NUMBER + number
            ids = [opener, *shown, *text, ANSWER, NUMBER + said]
            targets = [NUMBER + number] * (2 + len(shown) + len(text)) + [after]
            weights = before + [hints] * len(text) + [RANKED_WEIGHT if ranked else POINTER_WEIGHT, SECOND_WEIGHT]
        if len(sequence.ids) + len(ids) > stage.length:
            return False
        sequence.add(ids, start, branch, 0, targets, weights, question.meaning)
        return True


def about_other(question: Asked) -> Asked:
    return Asked([question.other], question.sentence, set(), [])


def answering(paragraph: int, question: Asked, numbers: dict[tuple[int, int], int]) -> set[int]:
    """The numbers of the sources that answer: the sentence that was asked for, or else others that hold the answer's words."""
    asked = numbers.get((paragraph, question.sentence))
    return {asked} if asked else {numbers[paragraph, h] for h in question.holders if (paragraph, h) in numbers}


def spots_rank(spot, first, others) -> int:
    """Where a spot's paragraph stands among the paragraphs, which are in no order of their own."""
    return (spot[0] * 7919 + first) % 101


def fitting(part, spots, budget: int):
    """The first spots that fit into a budget of tokens."""
    kept, used = [], 1
    for k, s in spots[:MOST_SOURCES]:
        used += len(part[k].sentences[s]) + len(part[k].title) + 2
        if used > budget:
            break
        kept.append((k, s))
    return kept


def disguise(sequence: Sequence, digits: list[int], rng: random.Random) -> Sequence:
    """Now and then other words or digits throughout, so that the model must read instead of remembering."""
    chance = rng.random()
    mapping = {}
    if chance < 0.06:
        low = len(SPECIAL) + 256  # Whole words only; single bytes stay.
        mapping = {t: rng.randrange(low, SIZE) for t in set(sequence.ids) if t >= low and rng.random() < 0.5}
    elif chance < 0.2:
        mapping = dict(zip(digits, rng.sample(digits, len(digits))))
    if mapping:
        sequence.ids = [mapping.get(t, t) for t in sequence.ids]
        sequence.targets = [mapping.get(t, t) for t in sequence.targets]
        sequence.meanings = [-1] * len(sequence.ids)
    return sequence


def stack(sequences: list[Sequence], length: int) -> dict[str, torch.Tensor]:
    """Padded tensors; `targets` and `weights` say what each token should be followed by and how much that matters, `meanings` what it means."""
    size = len(sequences)
    ids = torch.full((size, length), PAD)
    branches, meanings = torch.full((size, length), -1), torch.full((size, length), -1)
    positions, blocks, targets = (torch.zeros(size, length, dtype=torch.long) for _ in range(3))
    weights = torch.zeros(size, length)
    stacked = {"ids": ids, "positions": positions, "branches": branches, "blocks": blocks, "targets": targets, "weights": weights, "meanings": meanings}
    for row, sequence in enumerate(sequences):
        n = len(sequence.ids)
        for name, tensor in stacked.items():
            tensor[row, :n] = torch.tensor(getattr(sequence, name))
    return stacked


def mask(branches: torch.Tensor, blocks: torch.Tensor, layout: Layout) -> torch.Tensor:
    """0 where a token may look, minus infinity elsewhere."""
    length = branches.shape[1]
    seen = torch.ones(length, length, dtype=torch.bool, device=branches.device).tril()
    here, there = branches[:, :, None], branches[:, None, :]
    seen = seen & ((there == 0) | (there == here))
    if layout.block:
        here, there = blocks[:, :, None], blocks[:, None, :]
        seen = seen & ((here == 0) | (there == 0) | (here == there))
    return torch.zeros(seen.shape, dtype=torch.bfloat16, device=seen.device).masked_fill(~seen, float("-inf")).unsqueeze(1)
