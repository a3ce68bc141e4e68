"""Where training starts from: weights that already match words and point at where they stand.

Answering begins with finding the source that speaks of what the question speaks of, and from random weights that takes
millions of tokens to form. It is a chain of attention heads that can be written down (Olsson et al. 2022 found such
chains in trained models): one tells each token of which source it is; some let each word of the question look at the
same or a like word in the sources and take over the number of its source; one lets the end of the question gather what
its words found. Others add up what the tokens of a source, or of the question, mean (`bag.py`), and compare the sums.
All are linear maps; training then bends them.
"""

import torch

from model import HEAD_WIDTH, MEANING, ROPE_THETA, Decoder
from tokenizer import ANSWER, BEST, BOS, END, MOST_SOURCES, NUMBER, QUESTION

CONSTANT = 0.1
"""The first component of every embedding, for heads that look by position alone, the second of those that open a source or the question, and the third of those that close a source or the question."""
SCALE = 0.02
RMS = 0.0225
"""About what the components of a token measure in the middle layers."""
PAIRS = HEAD_WIDTH // 2
SLOW = list(range(PAIRS // 2, PAIRS - 1)) + list(range(PAIRS + PAIRS // 2, HEAD_WIDTH - 1))
"""Components that rotary positions hardly turn: these compare tokens at any distance."""
SLOWEST = PAIRS - 1
OPENERS = [QUESTION, *range(NUMBER, NUMBER + MOST_SOURCES + 1)]
SHARPNESS, VOTE, GATHERED = 2.6, 0.012, 0.08
OWN, BAG, POOLED, MEANING_SHARPNESS, MEANING_VOTE = 0.5, 0.25, 0.5, 1.2, 0.03
QUIET = 0.25
"""How loud the random part of each layer begins."""


@torch.no_grad()
def begin(model: Decoder, words: torch.Tensor, bag: torch.Tensor) -> None:
    """Sets the embeddings and the heads that match and point; all other weights stay random.

    `words` [vocabulary, width - MEANING] holds what is known of the tokens' meanings, each row of length one or all
    zero, `bag` [vocabulary, MEANING] what each adds to what a sentence means.
    """
    model.embedding.weight.copy_(embeddings(words, bag))
    for layer in model.layers:  # What a layer adds starts small beside the token's own embedding.
        layer.attended.weight.mul_(QUIET * (2 * model.shape.layers) ** -0.5)
        layer.down.weight.mul_(QUIET * (2 * model.shape.layers) ** -0.5)
    for layer in model.layers[:-2]:  # Up to where meaning is read, nothing else lies in its components.
        layer.attended.weight[-MEANING:] = 0
        layer.down.weight[-MEANING:] = 0
    opening = Opening(model)
    note = opening.note / 0.01
    meaning = model.embedding.weight[:, -MEANING:].clone()
    model.embedding.weight -= (model.embedding.weight @ note) @ note.T  # Nothing but the notes lies in their directions.
    model.embedding.weight[:, -MEANING:] = meaning
    previous(model.layers[0], 0)
    numbered(model.layers[0], 1, opening)
    for layer in model.layers[1:3]:
        for head in (0, 1):
            match(layer, head, opening)
    gather(model.layers[-2], 0, opening)
    for part in range(MEANING // HEAD_WIDTH):
        pool(model.layers[1], 2 + part, part, opening, model.embedding.weight[BOS])
    model.meaning.weight.copy_(torch.eye(model.shape.width)[-MEANING:])
    directions = torch.linalg.qr(torch.randn(MEANING, MEANING)).Q @ model.meaning.weight
    for head in range(MEANING // len(SLOW)):
        mean(model.layers[-2], 1 + head, directions[head * len(SLOW) :][: len(SLOW)], opening)


def embeddings(words: torch.Tensor, bag: torch.Tensor) -> torch.Tensor:
    """Meaning and, for telling like words apart, chance; in the last components what the token adds to a sentence."""
    vocabulary, width = words.shape
    known = words.norm(dim=1, keepdim=True) > 0
    chance = torch.randn(vocabulary, width)
    made = SCALE * torch.where(known, 0.8 * words * width**0.5 + 0.6 * chance, chance)
    made[:, 0] = CONSTANT
    made[:, 1:3] = 0
    made[OPENERS, 1] = CONSTANT
    made[[END, ANSWER], 2] = CONSTANT
    made = torch.cat([made, BAG * SCALE * MEANING**0.5 * bag], 1)
    made[BEST] = made[QUESTION]
    return made


class Opening:
    """How heads speak of the token that opens a source or the question."""

    def __init__(self, model: Decoder):
        width = model.shape.width
        openers = model.embedding.weight[OPENERS].clone()
        openers[:, :3] = 0
        self.basis = torch.linalg.qr(openers.T).Q.T  # [openers, width], orthonormal: where their embeddings lie
        room = torch.randn(width, len(OPENERS))
        room[:3], room[-MEANING:] = 0, 0  # Apart from the constants and from what sentences mean.
        room -= self.basis.T @ (self.basis @ room)
        self.note = torch.linalg.qr(room).Q * 0.01  # what later heads read
        unit = openers[0] / openers[0].norm()
        self.question = self.note @ (self.basis @ unit) / 0.01  # the direction of «belongs to the question»


def previous(layer, head: int) -> None:
    """Looks at the token just before: query and key are constant and meet when turned by one position."""
    query, key, _, _ = parts_of(layer, head)
    turn = 1 / ROPE_THETA ** (torch.arange(8) / PAIRS)
    query[:8, 0] += 8 * SCALE / CONSTANT
    key[:8, 0] += 8 * SCALE / CONSTANT * turn.cos()
    key[PAIRS : PAIRS + 8, 0] += 8 * SCALE / CONSTANT * turn.sin()


def numbered(layer, head: int, opening: Opening) -> None:
    """Looks at the nearest opener and notes which it is; the middle frequencies fall with the distance."""
    query, key, value, place = parts_of(layer, head)
    query[8:21, 0] += 4 * SCALE / CONSTANT
    key[8:21, 1] += 4 * SCALE / CONSTANT
    value.zero_()
    value[: len(opening.basis)] = opening.basis
    layer.attended.weight[:, place].zero_()
    layer.attended.weight[:, place][:, : len(opening.basis)] = opening.note


def match(layer, head: int, opening: Opening) -> None:
    """Looks at like tokens outside the question and votes for the number of their source."""
    query, key, value, place = parts_of(layer, head)
    likeness = torch.linalg.qr(torch.randn(query.shape[1], len(SLOW))).Q.T * SHARPNESS
    likeness[:, :3] = 0
    query.zero_(), key.zero_(), value.zero_()
    query[SLOW], key[SLOW] = likeness, likeness
    query[SLOWEST, 0] = 2.0
    key[SLOWEST] = -2.0 * opening.question
    value[: len(opening.basis)] = opening.note.T / 0.01**2 * RMS
    layer.attended.weight[:, place].zero_()
    layer.attended.weight[:, place][:, : len(opening.basis)] = VOTE * opening.basis.T


def gather(layer, head: int, opening: Opening) -> None:
    """Looks at all tokens of the question so far and adds up their votes."""
    query, key, value, place = parts_of(layer, head)
    query.zero_(), key.zero_(), value.zero_()
    query[SLOWEST, 0] = 2.0
    key[SLOWEST] = 2.0 * opening.question
    value[: len(opening.basis)] = opening.basis
    layer.attended.weight[:, place].zero_()
    layer.attended.weight[:, place][:, : len(opening.basis)] = GATHERED * opening.basis.T


def pool(layer, head: int, part: int, opening: Opening, beginning: torch.Tensor) -> None:
    """Lets what closes a source or the question add up this part of what its tokens mean; all others look at the beginning."""
    query, key, value, place = parts_of(layer, head)
    query.zero_(), key.zero_(), value.zero_()
    slowest = [i + half for i in reversed(range(PAIRS - 1)) for half in (0, PAIRS)][: len(opening.basis)]
    query[slowest], key[slowest] = OWN * opening.note.T / 0.01, OWN * opening.note.T / 0.01
    query[SLOWEST, 0], query[SLOWEST, 2] = 1.2, -1.2
    key[SLOWEST] = beginning / beginning.norm()
    key[SLOWEST, :3] = 0
    query[-1, 0], key[-1] = 1.0, 0.75 * opening.question  # Sources are long beside a question.
    rows = torch.arange(HEAD_WIDTH) - MEANING + part * HEAD_WIDTH
    value[torch.arange(HEAD_WIDTH), rows] = 1
    layer.attended.weight[:, place].zero_()
    layer.attended.weight[:, place][rows, torch.arange(HEAD_WIDTH)] = POOLED


def mean(layer, head: int, directions: torch.Tensor, opening: Opening) -> None:
    """Looks at the ends of sources, at those most that mean the like in these directions, and votes for them."""
    query, key, value, place = parts_of(layer, head)
    query.zero_(), key.zero_(), value.zero_()
    query[SLOW], key[SLOW] = directions * MEANING_SHARPNESS, directions * MEANING_SHARPNESS
    query[-1, 0] = 2.0
    key[-1, 2] = 2.0
    value[: len(opening.basis)] = opening.note.T / 0.01**2 * RMS
    layer.attended.weight[:, place].zero_()
    layer.attended.weight[:, place][:, : len(opening.basis)] = MEANING_VOTE * opening.basis.T


def parts_of(layer, head: int):
    """Views of a head's query, key and value weights, and its place in what the layer attends to."""
    place = slice(head * HEAD_WIDTH, (head + 1) * HEAD_WIDTH)
    query, key, value = layer.query_key_value.weight.data.chunk(3)
    return query[place], key[place], value[place], place
