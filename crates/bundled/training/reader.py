"""The reader that ships beside the models: the embedder once more, taught to judge whether a sentence answers a question.

A cross-encoder (Nogueira and Cho 2019): question and sentence go through the layers together. Only low-rank changes of
the embedder's matrices are learnt (LoRA, Hu et al. 2021), so that what ships is small and the matrices stay as they are.

`python reader.py --data DATA --work WORK --embedder FOLDER --minutes N` writes `WORK/reader-1` and, after the second stage, `WORK/reader`:
adapters as PEFT has them.
"""

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from gguf import GGUFReader, dequantize
from safetensors.torch import load_file, save_file
from torch import nn

import pairs
import prepare

RANK, SCALE = 16, 2.0
RATES, WARM = [1e-3, 5e-4], 100
"""The learning rate at its height, in each stage, and the steps up to there."""
GROUPS, PARTS = 12, 5
"""Questions in a step, and parts into which their pairs go by length, for there is less padding then."""
ADAPTED = 8
"""Layers that learn, the last ones: with all twelve, a third fewer questions are read in the same time."""
OPEN, PAD, CLOSE = 0, 1, 2
"""Tokens."""
MATRICES = {"query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value", "attended": "attention.output.dense", "into": "intermediate.dense", "out": "output.dense"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=55, help="of training, in each stage, in which the processors computed")
    parser.add_argument("--after", type=Path, help="an adapter from the first stage: only the second follows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    reader = Reader(Base(options.embedder))
    if options.after:
        restore(reader, options.after)
    else:
        stage(reader, 0, options, options.work / "reader-1")
    stage(reader, 1, options, options.work / "reader")


class Base:
    """The embedder's weights, as they are in its file."""

    def __init__(self, folder: Path):
        tensors = GGUFReader(folder / "model.gguf").tensors
        self.weights = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type))).reshape([*map(int, t.shape)][::-1]) for t in tensors}
        self.config = json.loads((folder / "config.json").read_text())

    def of(self, name: str) -> list[torch.Tensor]:
        """Weight and bias."""
        return [self.weights[f"{name}.{part}"].bfloat16() for part in ("weight", "bias")]


class Adapted(nn.Module):
    """A matrix that stays, and what is learnt beside it: W + SCALE · up · down."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor, learns: bool):
        super().__init__()
        self.weight, self.bias, self.learns = weight, bias, learns
        if learns:
            outputs, inputs = weight.shape
            self.down = nn.Parameter(torch.randn(RANK, inputs) / math.sqrt(inputs))
            self.up = nn.Parameter(torch.zeros(outputs, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stays = F.linear(x, self.weight, self.bias)
        if not self.learns:
            return stays
        return stays + F.linear(F.linear(x, self.down.bfloat16()), SCALE * self.up.bfloat16())


class Layer(nn.Module):
    def __init__(self, base: Base, name: str, learns: bool):
        super().__init__()
        self.learns = learns
        self.heads = base.config["num_attention_heads"]
        self.matrices = nn.ModuleDict({key: Adapted(*base.of(f"{name}.{theirs}"), learns) for key, theirs in MATRICES.items()})
        self.norms = [base.of(f"{name}.{part}.LayerNorm") for part in ("attention.output", "output")]

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        texts, length, width = x.shape
        query, key, value = (self.matrices[m](x).view(texts, length, self.heads, -1).transpose(1, 2) for m in ("query", "key", "value"))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=seen)
        x = normed(x + self.matrices["attended"](found.transpose(1, 2).reshape(x.shape)), self.norms[0])
        return normed(x + self.matrices["out"](F.gelu(self.matrices["into"](x))), self.norms[1])


def normed(x: torch.Tensor, norm: list[torch.Tensor]) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], *norm, 1e-12)


class Reader(nn.Module):
    """Pairs to logits: how likely the sentence answers the question."""

    def __init__(self, base: Base):
        super().__init__()
        table = {part: base.weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")}
        self.words, self.positions = table["word"], table["position"] + table["token_type"][0]
        self.norm = [base.weights[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias")]
        width = base.config["hidden_size"]
        count = base.config["num_hidden_layers"]
        self.layers = nn.ModuleList(Layer(base, f"encoder.layer.{i}", i >= count - ADAPTED) for i in range(count))
        self.pooler, self.classifier = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, texts: list[list[int]]) -> torch.Tensor:
        longest = max(map(len, texts))
        ids = torch.tensor([text + [PAD] * (longest - len(text)) for text in texts])
        seen = torch.zeros(ids.shape, dtype=torch.bfloat16).masked_fill(ids == PAD, float("-inf"))[:, None, None]
        x = normed(self.words[ids] + self.positions[:longest], self.norm).bfloat16()
        for layer in self.layers:
            x = layer(x, seen)
        return self.classifier(torch.tanh(self.pooler(x[:, 0].float())))[:, 0]


def pair(question: list[int], sentence: list[int]) -> list[int]:
    return [OPEN, *question, CLOSE, CLOSE, *sentence, CLOSE]


def stage(reader: Reader, number: int, options, out: Path):
    """Reads the pairs of a stage, once they are prepared, and writes what was learnt."""
    prepared = options.work / f"pairs-{number + 1}.pickle.gz"
    if not prepared.exists():
        prepare.save(prepared, pairs.load(options.data, options.embedder / "tokenizer.json", number, options.seed, options.threads))
    train(reader, prepare.load(prepared), RATES[number], options)
    export(reader, out)


def train(reader: Reader, groups: list[pairs.Asked], rate: float, options):
    optimizer = torch.optim.AdamW(reader.parameters(), weight_decay=0.01)
    rng = random.Random(options.seed)
    start, step, tokens, shown = time.process_time(), 0, 0, []
    while (used := (time.process_time() - start) / options.threads / 60) < options.minutes:
        optimizer.param_groups[0]["lr"] = rate * min(1, (step + 1) / WARM) * max(0.01, 1 - used / options.minutes)
        at = step * GROUPS % len(groups)
        if at + GROUPS > len(groups):
            rng.shuffle(groups)
        batch = groups[at : at + GROUPS]
        logits = scored(reader, batch)
        loss, right = judged(logits, batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        step, tokens = step + 1, tokens + sum(len(g.question) + len(s) + 4 for g in batch for s in g.sentences)
        shown.append((loss.item(), *right))
        if step % 50 == 0:
            loss, first, told = (sum(x) / len(x) for x in zip(*shown))
            print(f"{used:.1f} min, step {step}, {tokens / 1e6:.2f}M tokens: loss {loss:.3f}, right first {first:.3f}, judged rightly {told:.3f}", flush=True)
            shown = []


def scored(reader: Reader, batch: list[pairs.Asked]) -> list[torch.Tensor]:
    """The logits of each group."""
    texts = [(g, pair(group.question, sentence)) for g, group in enumerate(batch) for sentence in group.sentences]
    order = sorted(range(len(texts)), key=lambda i: len(texts[i][1]))
    size = math.ceil(len(order) / PARTS)
    logits = torch.cat([reader([texts[i][1] for i in order[start : start + size]]) for start in range(0, len(order), size)])
    back = torch.tensor(order).argsort()
    return list(logits[back].split([len(group.sentences) for group in batch]))


def judged(logits: list[torch.Tensor], batch: list[pairs.Asked]):
    """Every pair is right or wrong by itself; and where one of a group is right it should be above the others."""
    answers = torch.cat([torch.eye(1, len(row))[0] * group.answerable for row, group in zip(logits, batch)])
    every = torch.cat(logits)
    loss = F.binary_cross_entropy_with_logits(every, answers)
    answerable = [row for row, group in zip(logits, batch) if group.answerable]
    loss = loss + sum(-row.log_softmax(0)[0] for row in answerable) / max(1, len(answerable))
    first = sum(row.argmax().item() == 0 for row in answerable) / max(1, len(answerable))
    told = ((every > 0) == (answers > 0)).float().mean().item()
    return loss, (first, told)


def learnt(reader: Reader) -> dict[str, torch.Tensor]:
    """What was learnt, by the names that PEFT has for it."""
    prefix, tensors = "base_model.model.", {}
    for i, layer in enumerate(reader.layers):
        for key, theirs in MATRICES.items() if layer.learns else ():
            for part, name in (("down", "lora_A"), ("up", "lora_B")):
                tensors[f"{prefix}bert.encoder.layer.{i}.{theirs}.{name}.weight"] = getattr(layer.matrices[key], part)
    for name, linear in (("bert.pooler.dense", reader.pooler), ("classifier", reader.classifier)):
        tensors |= {f"{prefix}{name}.{part}": getattr(linear, part) for part in ("weight", "bias")}
    return tensors


def restore(reader: Reader, folder: Path):
    saved = load_file(folder / "adapter_model.safetensors")
    for name, tensor in learnt(reader).items():
        tensor.data.copy_(saved[name])


def export(reader: Reader, out: Path):
    """An adapter in PEFT's format, and the head."""
    out.mkdir(parents=True, exist_ok=True)
    save_file({name: t.detach().half().contiguous() for name, t in learnt(reader).items()}, out / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "task_type": "SEQ_CLS", "r": RANK, "lora_alpha": int(RANK * SCALE), "target_modules": [*MATRICES.values()], "modules_to_save": ["pooler", "classifier"]}
    (out / "adapter_config.json").write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
