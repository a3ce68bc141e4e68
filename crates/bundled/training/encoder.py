"""A published sentence encoder (all-MiniLM-L6-v2): its vectors of texts."""

from pathlib import Path

import torch

BATCH_TOKENS = 6144
LONGEST = 96


@torch.no_grad()
def encode(folder: Path, listed: list[str]) -> torch.Tensor:
    """The mean of each text's last hidden states, [texts, the encoder's width]."""
    from transformers import AutoModel, AutoTokenizer

    encoder, split = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    split_ids = split(listed, truncation=True, max_length=LONGEST)["input_ids"]
    order = sorted(range(len(listed)), key=lambda i: len(split_ids[i]))
    vectors = torch.zeros(len(listed), encoder.config.hidden_size)
    for batch in batched(order, lambda i: len(split_ids[i])):
        padded = split.pad({"input_ids": [split_ids[i] for i in batch]}, return_tensors="pt")
        hidden = encoder(**padded).last_hidden_state.float()
        seen = padded["attention_mask"].unsqueeze(-1)
        vectors[batch] = (hidden * seen).sum(1) / seen.sum(1)
    return vectors


def batched(order: list[int], length):
    """Runs of about BATCH_TOKENS; `order` is by length, ascending."""
    batch = []
    for i in order:
        if batch and (len(batch) + 1) * length(i) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    yield batch


def unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-3)
