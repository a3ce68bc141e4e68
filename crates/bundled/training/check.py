"""What the exported folder answers, computed from its files alone: greedy token ids and logits to hold an engine against.

`python check.py EXPORT PROMPTS.json OUT.json`; prompts are `{"documents": [{"title", "text"}], "question"}`.
"""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

LONGEST_ANSWER = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("prompts", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    model = Llama(options.export)
    prompts = json.loads(options.prompts.read_text())
    options.out.write_text(json.dumps([answer(model, prompt) for prompt in prompts], ensure_ascii=False, indent=1))


class Llama:
    """A Hugging Face Llama folder in float32."""

    def __init__(self, folder: Path):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {name: w.float() for name, w in load_file(folder / "model.safetensors").items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def logits(self, ids: list[int]) -> torch.Tensor:
        """Of the token after the last; everything anew each time, for the sake of plainness."""
        weights, c = self.weights, self.config
        x = weights["model.embed_tokens.weight"][ids]
        positions, seen = self.places(ids)
        for i in range(c["num_hidden_layers"]):
            w = lambda name: weights[f"model.layers.{i}.{name}.weight"]
            x = x + self.attention(self.norm(x, w("input_layernorm")), w, positions, seen)
            h = self.norm(x, w("post_attention_layernorm"))
            x = x + (F.silu(h @ w("mlp.gate_proj").T) * (h @ w("mlp.up_proj").T)) @ w("mlp.down_proj").T
        return self.norm(x[-1], weights["model.norm.weight"]) @ weights["model.embed_tokens.weight"].T

    def places(self, ids: list[int]):
        """The position of each token, and which tokens each sees."""
        blocks = self.config["ibid"]["block_attention"] or {"opens": [], "closes": -1}
        position, first, source, furthest, closed = 0, None, None, 0, False
        positions, seen = [], torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
        for i, token in enumerate(ids):
            if not closed and token == blocks["closes"]:
                closed, source, position = True, None, max(position, furthest)
            elif not closed and token in blocks["opens"]:
                first = first or (i, position)
                source, position = i, first[1]
            if source is not None:
                seen[i, first[0] : source] = False
            positions.append(position)
            position += 1
            furthest = max(furthest, position)
        return torch.tensor(positions), seen

    def attention(self, x, w, positions, seen):
        heads = lambda name: self.heads(x @ w(f"self_attn.{name}_proj").T)
        query, key = self.rotated(heads("q"), positions), self.rotated(heads("k"), positions)
        y = F.scaled_dot_product_attention(query, key, heads("v"), attn_mask=seen)
        return y.transpose(0, 1).flatten(1) @ w("self_attn.o_proj").T

    def heads(self, x):
        return x.view(len(x), -1, self.config["head_dim"]).transpose(0, 1)

    def rotated(self, x, positions):
        half = x.shape[-1] // 2
        angle = torch.outer(positions, self.config["rope_theta"] ** (-torch.arange(half) / half))
        cos, sin = angle.cos().repeat(1, 2), angle.sin().repeat(1, 2)
        return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin

    def norm(self, x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config["rms_norm_eps"]) * weight


@torch.no_grad()
def answer(model: Llama, prompt: dict) -> dict:
    sources = "".join(f"<{n}>{d['title']}<title>{d['text']}<end>" for n, d in enumerate(prompt["documents"], 1))
    text = f"<s>{sources}<best>{prompt['question']}<a>"
    ids = model.tokenizer.encode(text, add_special_tokens=False).ids
    written, first = [], None
    while len(written) < LONGEST_ANSWER and not {*model.config["eos_token_id"]} & {*written}:
        logits = model.logits(ids + written)
        first = first if first is not None else logits
        written.append(int(logits.argmax()))
    best = first.topk(5)
    return {
        "prompt": text,
        "prompt_ids": ids,
        "answer_ids": written,
        "answer": model.tokenizer.decode(written, skip_special_tokens=False),
        "first_logits": {str(i): round(v, 4) for i, v in zip(best.indices.tolist(), best.values.tolist())},
    }


if __name__ == "__main__":
    main()
