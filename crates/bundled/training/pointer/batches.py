"""Training sequences: numbered sentences, then questions.

In a shared sequence many questions follow one context, each seeing the context and itself only, which is what a
prompt with one question looks like to the model, at a tenth of the price. In a ranked sequence the sentences stand as
the pipeline finds them, best first, with the one question that they were found for.
"""

import random
from dataclasses import dataclass, field

import torch

from prepare import LONGEST_SENTENCE, Asked, Ranked, Source
from tokenizer import ANSWER, BOS, EOS, MOST_SOURCES, NUMBER, PAD, QUESTION, SHORT, SIZE, SPECIAL, TITLE

CONTEXT_WEIGHT, HINT_WEIGHT, COPY_WEIGHT, POINTER_WEIGHT = 0.1, 0.25, 0.5, 1.0
CONTEXT_SHARE = 0.12
"""The share of the context's tokens that is predicted too, for the sake of the language."""
SHORT_SHARE = 0.25
"""The share of questions with known answers that ask for the bare words instead: it teaches what a question asks for."""


@dataclass(frozen=True)
class Stage:
    """How long and how hard sequences are for a while."""

    until: float
    """Share of the whole training at which the stage ends."""
    length: int
    sources: int
    ranked: float
    """Share of ranked sequences; the others are shared ones."""
    copied: float
    """Share of answers that go on after the number of the source."""
    runs: float
    """Share of questions that are mere pieces of a sentence: what they ask for is plain, so matching forms on them."""


STAGES = (
    Stage(until=0.48, length=192, sources=4, ranked=0.0, copied=0.5, runs=0.5),
    Stage(until=0.62, length=320, sources=8, ranked=0.2, copied=0.3, runs=0.15),
    Stage(until=1.01, length=352, sources=8, ranked=0.7, copied=0.3, runs=0.0),
)


@dataclass
class Sequence:
    ids: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    branches: list[int] = field(default_factory=list)
    """0 in the context, then the number of the question."""
    blocks: list[int] = field(default_factory=list)
    """The number of the source; 0 outside sources."""
    weights: list[float] = field(default_factory=list)
    """Of the loss in predicting this token."""
    hints: list[int] = field(default_factory=list)
    """What this token should point at already, instead of predicting the next one; 0 for nothing."""

    def add(self, ids, start: int, branch: int, block: int, weight, hint: int = 0) -> None:
        self.ids += ids
        self.positions += range(start, start + len(ids))
        self.branches += [branch] * len(ids)
        self.blocks += [block] * len(ids)
        self.weights += weight if isinstance(weight, list) else [weight] * len(ids)
        self.hints += [hint] * len(ids)


@dataclass(frozen=True)
class Layout:
    """How sources lie beside each other."""

    block: bool
    """Every source sees the beginning and itself only, and its positions start at the same place."""


@dataclass(frozen=True)
class Fixed:
    """Token ids that never change."""

    refusals: dict[str, list[int]]
    """What the model says, by language, when the sources do not answer."""
    digits: list[int]


class Batches:
    """Draws sequences of all parts by their shares. The caller seeds `rng`."""

    def __init__(self, parts: dict[str, list[Source]], ranked: dict[str, list[Ranked]], shares, fixed: Fixed, layout: Layout):
        self.parts, self.ranked, self.fixed, self.layout = parts, ranked, fixed, layout
        self.names, self.shares = zip(*shares.items())
        self.asked = {name: [i for i, s in enumerate(part) if s.questions] for name, part in parts.items()}
        self.rng = random.Random()

    def batch(self, stage: Stage, size: int) -> dict[str, torch.Tensor]:
        return stack([self.sequence(stage) for _ in range(size)], stage.length)

    def sequence(self, stage: Stage) -> Sequence:
        while True:
            name = self.rng.choices(self.names, self.shares)[0]
            if self.rng.random() < stage.ranked:
                made = self.retrieved(name, stage) if self.ranked.get(name) else None
            else:
                made = self.shared(name, stage)
            if made and POINTER_WEIGHT in made.weights:
                return disguise(made, self.fixed.digits, self.rng)

    def shared(self, name: str, stage: Stage) -> Sequence | None:
        """Some sentences of a paragraph and its neighbours, and every question about them that finds room; None when no sentence fits."""
        rng, part = self.rng, self.parts[name]
        first = rng.choice(self.asked[name])
        others = [k for k in part[first].near if rng.random() < 0.6]
        spots = [(first, s) for s in range(len(part[first].sentences))]
        spots = rng.sample(spots, min(len(spots), stage.sources))
        around = [(k, s) for k in others for s in range(len(part[k].sentences))]
        spots += rng.sample(around, min(len(around), max(0, rng.randint(min(2, stage.sources), stage.sources) - len(spots))))
        spots = fitting(part, spots, int(stage.length * 0.62))
        rng.shuffle(spots)
        if rng.random() < 0.5:  # Half the time in the order of the paragraphs.
            spots.sort(key=lambda spot: (spots_rank(spot, first, others), spot[1]))
        if not spots:
            return None
        sequence, starts = self.context(part, spots)
        asked = self.askable(part, spots, [first, *others], stage)
        branch, missed = 0, 0
        while missed < 3 and (asked or stage.runs):
            pieces = not asked or rng.random() < stage.runs
            question, number = self.pieces(part, spots, stage) if pieces else asked.pop()
            copied = rng.random() < stage.copied
            branch += 1
            missed += not self.ask(sequence, starts, branch, question, number, self.answer(part, spots, number, copied), stage)
        return sequence

    def pieces(self, part, spots, stage: Stage) -> tuple[Asked, int]:
        """A few runs of tokens of one of the sentences, or of a sentence that is not there."""
        number = self.rng.randint(1, len(spots))
        k, s = spots[number - 1]
        sentence = part[k].sentences[s]
        if stage.sources > 1 and self.rng.random() < 0.2:
            number, sentence = 0, self.rng.choice(self.rng.choice(part).sentences)
        starts = [self.rng.randrange(max(1, len(sentence) - 2)) for _ in range(self.rng.randint(1, 4))]
        return Asked([[t for start in starts for t in sentence[start : start + self.rng.randint(2, 5)]]], s, {s}, []), number

    def askable(self, part, spots, paragraphs, stage: Stage) -> list[tuple[Asked, int]]:
        """Questions with the number of the source that answers, 0 where none does; about a third are such.

        With a single source there are none: copying has to form first, and a fixed sentence teaches none.
        """
        numbers = {spot: n for n, spot in enumerate(spots, 1)}
        answered, refused = [], []
        for k in paragraphs:
            for question in part[k].questions:
                if (k, question.sentence) in numbers:
                    answered.append((question, numbers[k, question.sentence]))
                elif not any((k, h) in numbers for h in question.holders):
                    refused.append((question, 0))
        self.rng.shuffle(refused)
        answered = self.rng.sample(answered, min(len(answered), 14))
        most_refused = (len(answered) + self.rng.randint(0, 1)) // 2 if stage.sources > 1 else 0
        mixed = answered + refused[:most_refused]
        self.rng.shuffle(mixed)
        return mixed

    def retrieved(self, name: str, stage: Stage) -> Sequence | None:
        part, ranked = self.parts[name], self.rng.choice(self.ranked[name])
        question = part[ranked.paragraph].questions[ranked.question]
        copied = self.rng.random() < stage.copied
        room = stage.length - max(map(len, question.texts)) - 4 - copied * (LONGEST_SENTENCE // 2)
        spots = fitting(part, ranked.sentences[: self.rng.randint(5, stage.sources)], room)
        if not spots:
            return None
        number = 0
        if ranked.answerable:
            gold = (ranked.paragraph, question.sentence)
            held = {(ranked.paragraph, h) for h in question.holders}
            number = spots.index(gold) + 1 if gold in spots else 0
            if not number and held & set(spots):
                number = next(n for n, spot in enumerate(spots, 1) if spot in held)
        sequence, starts = self.context(part, spots)
        self.ask(sequence, starts, 1, question, number, self.answer(part, spots, number, copied), stage)
        return sequence

    def answer(self, part, spots, number: int, copied: bool) -> list[int]:
        """What follows the number of the source: its words, or a refusal's, or nothing where only the choice counts."""
        if not copied:
            return []
        k, s = spots[number - 1]
        return [*(part[k].sentences[s] if number else self.fixed.refusals[part[k].language]), EOS]

    def context(self, part, spots) -> tuple[Sequence, int]:
        """The sources of a prompt, and the position at which questions start."""
        sequence = Sequence()
        sequence.add([BOS], 0, 0, 0, 0.0)
        start = 1
        furthest = 1
        for number, (k, s) in enumerate(spots, 1):
            ids = [NUMBER + number, *part[k].sentences[s], TITLE, *part[k].title]
            weights = [CONTEXT_WEIGHT * (self.rng.random() < CONTEXT_SHARE) for _ in ids]
            sequence.add(ids, start, 0, number, [0.0] + weights[1:])
            furthest = max(furthest, start + len(ids))
            start = 1 if self.layout.block else furthest
        return sequence, furthest

    def ask(self, sequence, start, branch, question: Asked, number: int, answer: list[int], stage: Stage) -> bool:
        """Adds a question and its answer, unless there is no room.

        Each word of the question should point at the source too: so many small tasks make pointing form, one does not.
        """
        asked, pointer = [QUESTION, *self.rng.choice(question.texts), ANSWER], [NUMBER + number]
        if number and question.words and self.rng.random() < SHORT_SHARE:
            asked[-1], pointer, answer = SHORT, [], [*question.words, EOS]
        if len(sequence.ids) + len(asked) + len(pointer) + len(answer) > stage.length:
            return False
        sequence.add(asked[:-1], start, branch, 0, 0.0, NUMBER + number)
        sequence.add(asked[-1:], start + len(asked) - 1, branch, 0, 0.0)
        sequence.add(pointer, start + len(asked), branch, 0, POINTER_WEIGHT)
        sequence.add(answer, start + len(asked) + len(pointer), branch, 0, COPY_WEIGHT)
        return True


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
    """Now and then other words or digits throughout, so that the model must read and copy instead of remembering."""
    chance = rng.random()
    mapping = {}
    if chance < 0.12:
        low = len(SPECIAL) + 256  # Whole words only; single bytes stay.
        mapping = {t: rng.randrange(low, SIZE) for t in set(sequence.ids) if t >= low and rng.random() < 0.5}
    elif chance < 0.3:
        mapping = dict(zip(digits, rng.sample(digits, len(digits))))
    if mapping:
        sequence.ids = [mapping.get(t, t) for t in sequence.ids]
    return sequence


def stack(sequences: list[Sequence], length: int) -> dict[str, torch.Tensor]:
    """Padded tensors; `targets` and `weights` say what each token should be followed by and how much that matters."""
    size = len(sequences)
    ids = torch.full((size, length), PAD)
    positions = torch.zeros(size, length, dtype=torch.long)
    branches = torch.full((size, length), -1)
    blocks = torch.zeros(size, length, dtype=torch.long)
    weights = torch.zeros(size, length)
    for row, sequence in enumerate(sequences):
        n = len(sequence.ids)
        ids[row, :n] = torch.tensor(sequence.ids)
        positions[row, :n] = torch.tensor(sequence.positions)
        branches[row, :n] = torch.tensor(sequence.branches)
        blocks[row, :n] = torch.tensor(sequence.blocks)
        weights[row, : n - 1] = torch.tensor(sequence.weights[1:])
    targets = torch.cat([ids[:, 1:], torch.full((size, 1), PAD)], 1)
    for row, sequence in enumerate(sequences):
        hinted = torch.tensor(sequence.hints) > 0
        targets[row, : len(hinted)][hinted] = torch.tensor(sequence.hints)[hinted]
        weights[row, : len(hinted)][hinted] = HINT_WEIGHT
    return {"ids": ids, "positions": positions, "branches": branches, "blocks": blocks, "targets": targets, "weights": weights}


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
