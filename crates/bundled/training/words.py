"""What is known of the meanings of tokens before training: the company they keep, and for words what published models say.

`python words.py --work WORK --english FOLDER` writes `WORK/words.pt`, [vocabulary, width], rows of length one.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import torch

import prepare
import tokenizer as tokens
from encoder import encode, unit
from kiwi import Korean
from prepare import Source

CONTEXTS = 2048
WORD, KOREAN_WORD = re.compile(r"[A-Za-z]{2,}"), re.compile(r"[가-힣]{2,}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True, help="a sentence encoder's folder (all-MiniLM-L6-v2), whose vectors of single words English tokens start from")
    parser.add_argument("--width", type=int, default=384, help="of the model, less what a bag of tokens takes")
    options = parser.parse_args()
    found = company(prepare.load(options.work / "sources.pickle.gz"), tokens.SIZE, options.width)
    tokenizer = tokens.load(options.work / "tokenizer.json")
    words = spelt(tokenizer, WORD)
    found[list(words)] = english(options.english, list(words.values()), options.width)
    words = spelt(tokenizer, KOREAN_WORD)
    vectors = korean(list(words.values()), options.width)
    said = vectors.norm(dim=1) > 0
    found[torch.tensor(list(words))[said]] = vectors[said]
    print(len(words), "Korean words,", int(said.sum()), "known", flush=True)
    found[: len(tokens.SPECIAL)] = 0
    torch.save(found, options.work / "words.pt")


def company(parts: dict[str, list[Source]], vocabulary: int, width: int) -> torch.Tensor:
    """From the words that stand around a token (positive pointwise mutual information, Levy and Goldberg 2014)."""
    texts = [sentence for part in parts.values() for source in part for sentence in source.sentences]
    ids = np.concatenate([np.array([0, 0, *text]) for text in texts])
    common = np.argsort(-np.bincount(ids, minlength=vocabulary))[:CONTEXTS]
    column = np.full(vocabulary, -1)
    column[common] = np.arange(CONTEXTS)
    counts = np.zeros(vocabulary * 2 * CONTEXTS)
    for distance in (1, 2):
        for here, there, side in ((ids[distance:], ids[:-distance], 0), (ids[:-distance], ids[distance:], CONTEXTS)):
            kept = (column[there] >= 0) & (here > 0) & (there > 0)
            counts += np.bincount(here[kept] * 2 * CONTEXTS + side + column[there[kept]], minlength=len(counts))
    information = mutual(torch.tensor(counts, dtype=torch.float32).view(vocabulary, -1))
    torch.manual_seed(0)
    left, strength, _ = torch.svd_lowrank(information, q=width, niter=3)
    return unit(left * strength.sqrt())


def mutual(counts: torch.Tensor) -> torch.Tensor:
    """Positive pointwise mutual information of rows and columns."""
    expected = counts.sum(1, keepdim=True) * counts.sum(0) / counts.sum()
    return (counts / expected.clamp_min(1e-9)).clamp_min(1).log()


def spelt(tokenizer, pattern: re.Pattern) -> dict[int, str]:
    """The tokens that are words of a kind."""
    words = {i: tokenizer.decode([i]).strip() for i in range(len(tokens.SPECIAL), tokens.SIZE)}
    return {i: word for i, word in words.items() if pattern.fullmatch(word)}


def english(folder: Path, words: list[str], width: int) -> torch.Tensor:
    """Each word passed through the encoder alone, its principal components (as «model2vec» does it)."""
    vectors = encode(folder, words)
    vectors = vectors - vectors.mean(0)
    return unit(vectors @ torch.linalg.svd(vectors, full_matrices=False).Vh[:width].T)


def korean(words: list[str], width: int) -> torch.Tensor:
    """What the morphemes of each word mean, turned by chance, for they share no directions with English; zero where none says anything."""
    vectors = Korean(words)(words)
    torch.manual_seed(0)
    return vectors @ torch.linalg.qr(torch.randn(width, vectors.shape[1])).Q.T


if __name__ == "__main__":
    main()
