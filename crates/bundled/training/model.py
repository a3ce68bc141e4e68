"""A decoder of the Llama family: RMSNorm, rotary positions, SwiGLU, embedding and head tied."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

HEAD_WIDTH = 64
ROPE_THETA = 10_000.0
MEANING = 128
"""Numbers that say what a sentence means (`meaning.py`)."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a model. `width` is a multiple of 256, so that every quantisation block divides it."""

    vocabulary: int
    width: int
    layers: int
    inner: int

    @property
    def heads(self) -> int:
        return self.width // HEAD_WIDTH


class Layer(nn.Module):
    """Attention, then the gated feed-forward part, each added to what came in."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.heads = shape.heads
        self.before_attention = nn.RMSNorm(shape.width)
        self.before_inner = nn.RMSNorm(shape.width)
        self.query_key_value = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.attended = nn.Linear(shape.width, shape.width, bias=False)
        self.gate_up = nn.Linear(shape.width, 2 * shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, length, width = x.shape
        heads = self.query_key_value(self.before_attention(x)).view(batch, length, 3, self.heads, HEAD_WIDTH)
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each [batch, heads, length, 64]
        y = attend(rotate(query, cos, sin), rotate(key, cos, sin), value, mask)
        x = x + self.attended(y.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.before_inner(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Decoder(nn.Module):
    """Token ids with explicit positions and an explicit mask, because questions share one context in training."""

    def __init__(self, shape: Shape, longest: int = 2048):
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.last_norm = nn.RMSNorm(shape.width)
        self.meaning = nn.Linear(shape.width, MEANING, bias=False)  # Reads meaning off the middle; training alone needs it.
        for weight in self.parameters():
            if weight.dim() > 1:
                nn.init.normal_(weight, 0, 0.02)
        frequency = 1 / ROPE_THETA ** (torch.arange(HEAD_WIDTH // 2) / (HEAD_WIDTH // 2))
        angle = torch.outer(torch.arange(longest).float(), frequency)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, positions, mask):
        """Hidden states [batch, length, width], and those that the last layer but one begins with, where meaning stands.

        `mask` [batch, 1, length, length] is added to the attention scores.
        """
        x = self.embedding(ids)
        cos, sin = self.cos[positions].unsqueeze(1), self.sin[positions].unsqueeze(1)  # [batch, 1, length, 32]
        for layer in self.layers[:-2]:
            x = layer(x, cos.to(x.dtype), sin.to(x.dtype), mask)
        meant = self.layers[-2].before_attention(x)
        for layer in self.layers[-2:]:
            x = layer(x, cos.to(x.dtype), sin.to(x.dtype), mask)
        return self.last_norm(x), meant

    def logits(self, hidden):
        return F.linear(hidden, self.embedding.weight)


def attend(query, key, value, mask):
    """Written out, as a compiler makes this three times as fast on a CPU as the library's own."""
    scores = (query * HEAD_WIDTH**-0.5) @ key.transpose(-1, -2)
    return (scores + mask.to(scores.dtype)).softmax(-1).to(value.dtype) @ value


def rotate(x, cos, sin):
    """Rotary positions (Su et al. 2021), halves paired as the Hugging Face Llama pairs them."""
    left, right = x.chunk(2, -1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], -1)
