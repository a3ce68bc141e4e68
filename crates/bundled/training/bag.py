"""What each token adds to what a sentence means, the sentence taken as a bag of tokens.

The sum of its tokens' vectors should point where the encoder's vector of it does (`meaning.py`), and a question's sum
where its answer's does, of all answers in the batch (van den Oord et al. 2018), which says something of tokens that no
encoder read. Learnt in a minute, and right in 80 of 100 parts; from there on the model learns what order and
context add.

`python bag.py --work WORK` writes `WORK/bag.pt`, [vocabulary, MEANING], the mean length of a token of running text one.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

import prepare
import tokenizer as tokens
from model import MEANING

BATCH, ROUNDS, RATE = 2048, 6, 4e-3
TEMPERATURE, PAIR_WEIGHT = 0.05, 0.1
RARE = 5
"""Tokens seen less often than this mean nothing."""


@dataclass
class Texts:
    """Token ids one behind the other, and where each text begins and ends."""

    flat: torch.Tensor
    ends: torch.Tensor

    @staticmethod
    def of(listed: list[list[int]]) -> "Texts":
        ends = torch.tensor([0] + [len(ids) for ids in listed]).cumsum(0)
        return Texts(torch.tensor([t for ids in listed for t in ids]), ends)

    def some(self, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The ids of the chosen texts, and where each of them begins."""
        lengths = self.ends[chosen + 1] - self.ends[chosen]
        begins = lengths.cumsum(0) - lengths
        at = torch.repeat_interleave(self.ends[chosen] - begins, lengths) + torch.arange(int(lengths.sum()))
        return self.flat[at], begins


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    parts = prepare.load(options.work / "sources.pickle.gz")
    found = learn(*told(parts, torch.load(options.work / "meaning.pt").float()), *asked(parts))
    torch.save(found, options.work / "bag.pt")


def told(parts, vectors: torch.Tensor) -> tuple[Texts, torch.Tensor]:
    """Texts of which the encoder's vector is known, and these vectors."""
    listed, rows = [], []
    for part in parts.values():
        for source in part:
            pairs = [([*source.title, *s], row) for s, row in zip(source.sentences, source.meanings)]
            pairs += [(text, question.meaning) for question in source.questions for text in question.texts]
            for ids, row in pairs:
                if row >= 0 and ids:
                    listed.append(ids), rows.append(row)
    return Texts.of(listed), vectors[rows]


def asked(parts) -> tuple[Texts, Texts]:
    """Questions, and the sentences that answer them with their titles."""
    pairs = [
        (question.texts[0], [*source.title, *source.sentences[question.sentence]])
        for part in parts.values()
        for source in part
        for question in source.questions
        if question.texts[0]
    ]
    return tuple(map(Texts.of, zip(*pairs)))


def learn(texts: Texts, vectors: torch.Tensor, questions: Texts, answers: Texts) -> torch.Tensor:
    bag = torch.nn.EmbeddingBag(tokens.SIZE, MEANING, mode="sum")
    torch.nn.init.normal_(bag.weight, 0, 0.02)
    optimizer = torch.optim.Adam(bag.parameters(), lr=RATE)
    steps = ROUNDS * len(vectors) // BATCH
    for step in range(steps):
        chosen = torch.randint(len(vectors), (BATCH,))
        apart = 1 - F.cosine_similarity(bag(*texts.some(chosen)), vectors[chosen]).mean()
        pairs = torch.randint(len(questions.ends) - 1, (BATCH // 2,))
        likeness = F.normalize(bag(*questions.some(pairs))) @ F.normalize(bag(*answers.some(pairs))).T
        loss = apart + PAIR_WEIGHT * F.cross_entropy(likeness / TEMPERATURE, torch.arange(len(pairs)))
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 300 == 0:
            print(f"step {step} of {steps}, apart {apart.item():.3f}, loss {loss.item():.3f}", flush=True)
    counts = torch.bincount(torch.cat([texts.flat, questions.flat, answers.flat]), minlength=tokens.SIZE)
    found = bag.weight.detach() * (counts >= RARE).unsqueeze(1)
    return found / (found.norm(dim=1) * counts / counts.sum()).sum()


if __name__ == "__main__":
    main()
