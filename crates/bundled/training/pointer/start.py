"""Where training starts from: weights that already repeat what they see, and embeddings that know a word's company.

Copying is what every answer is made of, and from random weights it takes millions of tokens to form. It needs two
attention heads (Olsson et al. 2022, «induction heads»): one that tells each token what stands before it, and one that
finds the token whose predecessor is the present one. A third tells each token of which source it is, for pointing.
All are linear maps that can be written down; training then bends them.
"""

import numpy as np
import torch

from model import HEAD_WIDTH, ROPE_THETA, Decoder
from prepare import Source
from tokenizer import MOST_SOURCES, NUMBER, QUESTION, SPECIAL

CONSTANT = 0.1
"""The first component of every embedding, for heads that look by position alone, and the second of those that open a source or the question."""
SCALE = 0.02
PAIRS = HEAD_WIDTH // 2
SLOW = list(range(PAIRS // 2, PAIRS)) + list(range(PAIRS + PAIRS // 2, HEAD_WIDTH))
"""Components that rotary positions hardly turn: these compare tokens at any distance."""
CONTEXTS = 2048


@torch.no_grad()
def begin(model: Decoder, parts: dict[str, list[Source]], seed: int) -> None:
    """Sets the embeddings and the heads that copy; all other weights stay random."""
    model.embedding.weight.copy_(embeddings(parts, model.shape.vocabulary, model.shape.width, seed))
    for layer in model.layers:  # What a layer adds starts small beside the token's own embedding.
        layer.attended.weight.mul_((2 * model.shape.layers) ** -0.5)
        layer.down.weight.mul_((2 * model.shape.layers) ** -0.5)
    width = model.shape.width
    numbers = model.embedding.weight[NUMBER : NUMBER + MOST_SOURCES + 1].clone()
    numbers[:, :2] = 0
    before, source = Note(orthonormal(width)[:HEAD_WIDTH]), Note(torch.linalg.qr(numbers.T).Q.T)
    previous(model.layers[0], 0, before)
    numbered(model.layers[0], 1, source)
    for layer, half in zip(model.layers[1:3], orthonormal(width).chunk(2)):
        for head, rows in enumerate(half.split(HEAD_WIDTH)[:2]):
            repeat(layer, head, before, rows)


class Note:
    """What a head writes into a token for later heads: `told @ read` of another token's embedding."""

    def __init__(self, read: torch.Tensor):
        self.read = torch.zeros(HEAD_WIDTH, read.shape[1])
        self.read[: len(read)] = read
        self.told = torch.randn(read.shape[1], HEAD_WIDTH) * SCALE / 8


def embeddings(parts: dict[str, list[Source]], vocabulary: int, width: int, seed: int) -> torch.Tensor:
    """Half from the words that stand around a token (positive pointwise mutual information, Levy and Goldberg 2014), half random."""
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
    torch.manual_seed(seed)
    left, strength, _ = torch.svd_lowrank(information, q=width, niter=3)
    company = left * strength.sqrt()
    company = company / company.norm(dim=1, keepdim=True).clamp_min(1e-3) * width**0.5
    company[: len(SPECIAL)] = torch.randn(len(SPECIAL), width)
    made = SCALE * 0.5**0.5 * (company + torch.randn(vocabulary, width))
    made[:, 0] = CONSTANT
    made[[QUESTION, *range(NUMBER, NUMBER + MOST_SOURCES + 1)], 1] = CONSTANT
    return made


def mutual(counts: torch.Tensor) -> torch.Tensor:
    """Positive pointwise mutual information of rows and columns."""
    expected = counts.sum(1, keepdim=True) * counts.sum(0) / counts.sum()
    return (counts / expected.clamp_min(1e-9)).clamp_min(1).log()


def orthonormal(width: int) -> torch.Tensor:
    return torch.linalg.qr(torch.randn(width, width)).Q


def previous(layer, head: int, note: Note) -> None:
    """Looks at the token just before: query and key are constant and meet when turned by one position."""
    query, key, value, place = parts_of(layer, head)
    turn = 1 / ROPE_THETA ** (torch.arange(8) / PAIRS)
    query[:8, 0] += 8 * SCALE / CONSTANT
    key[:8, 0] += 8 * SCALE / CONSTANT * turn.cos()
    key[PAIRS : PAIRS + 8, 0] += 8 * SCALE / CONSTANT * turn.sin()
    value.copy_(note.read)
    layer.attended.weight[:, place] = note.told


def numbered(layer, head: int, note: Note) -> None:
    """Looks at the nearest number of a source; the middle frequencies fall with the distance."""
    query, key, value, place = parts_of(layer, head)
    query[8:21, 0] += 4 * SCALE / CONSTANT
    key[8:21, 1] += 4 * SCALE / CONSTANT
    value.copy_(note.read)
    layer.attended.weight[:, place] = note.told


def repeat(layer, head: int, note: Note, rows: torch.Tensor) -> None:
    """Looks at the token whose predecessor is the present token, and passes on some components of it."""
    query, key, value, place = parts_of(layer, head)
    basis = torch.linalg.svd(note.told, full_matrices=False).U[:, : len(SLOW)].T
    asked = basis @ note.told @ note.read
    query[SLOW] = 2 * asked / asked.norm(dim=1, keepdim=True)
    key[SLOW] = 2 * basis
    value.copy_(rows)
    layer.attended.weight[:, place] = 8 * SCALE * rows.T


def parts_of(layer, head: int):
    """Views of a head's query, key and value weights, and its place in what the layer attends to."""
    place = slice(head * HEAD_WIDTH, (head + 1) * HEAD_WIDTH)
    query, key, value = layer.query_key_value.weight.data.chunk(3)
    return query[place], key[place], value[place], place
