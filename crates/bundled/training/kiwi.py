"""What Korean words mean, as a published analyser sees it: Kiwi's language model has a vector for each morpheme.

Kiwi (Apache-2.0; learnt from the corpora of the National Institute of Korean Language) tells how like two morphemes
are, which is the cosine of their vectors. Likenesses to a few hundred of them give the vectors back but for a turn
(Williams and Seeger 2001), exactly when those span the space.
"""

import math
import re
from collections import Counter

import torch
from kiwipiepy import Kiwi, Token

from encoder import unit

WIDTH = 256
LANDMARKS = range(100, 900)
"""Frequent morphemes that span the space."""
UNKNOWN = 70_000
"""Morphemes of higher numbers are particles that have no vector, and names that were found in the text itself."""
SAYING = re.compile(r"NNG|NNP|VV|VA|MAG|XR")
"""Tags of morphemes that say something by themselves; the others are endings, particles, numbers and marks."""


class Korean:
    """Vectors of Korean texts, each the sum of what its morphemes mean, rare ones counting more; all of length one, or zero."""

    def __init__(self, texts: list[str]):
        self.kiwi = Kiwi(model_type="cong")
        self.found: dict[str, list[int]] = {}
        counts = Counter(id for ids in self.saying(texts) for id in set(ids))
        self.rows = {id: row for row, id in enumerate(counts)}
        often = torch.tensor(list(counts.values()), dtype=torch.float32)
        vectors = morphemes(self.kiwi, list(counts))
        vectors = unit(vectors - (vectors * often.unsqueeze(1)).sum(0) / often.sum())
        self.weighted = vectors * (math.log(len(texts) + 1) - often.log()).unsqueeze(1)

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """[texts, WIDTH]"""
        rows = [[self.rows[id] for id in ids if id in self.rows] for ids in self.saying(texts)]
        return unit(torch.stack([self.weighted[row].sum(0) for row in rows]))

    def saying(self, texts: list[str]) -> list[list[int]]:
        """The morphemes of each text that say something; each text is split once."""
        new = [text for text in dict.fromkeys(texts) if text not in self.found]
        self.found.update((text, [token.id for token in split if says(token)]) for text, split in zip(new, self.kiwi.tokenize(new)))
        return [self.found[text] for text in texts]


def says(token: Token) -> bool:
    return token.id < UNKNOWN and SAYING.match(token.tag) is not None


def morphemes(kiwi: Kiwi, ids: list[int]) -> torch.Tensor:
    """Vectors of morphemes, [ids, WIDTH]."""
    landmarks = list(LANDMARKS)
    strength, directions = torch.linalg.eigh(likeness(kiwi, landmarks, landmarks))
    spanned = directions[:, -WIDTH:] / strength[-WIDTH:].sqrt()
    return (likeness(kiwi, ids, landmarks) @ spanned).float()


def likeness(kiwi: Kiwi, ids: list[int], others: list[int]) -> torch.Tensor:
    cosine = lambda i, j: 1.0 if i == j else kiwi.morpheme_similarity(i, j)
    return torch.tensor([[cosine(i, j) for j in others] for i in ids], dtype=torch.float64)
