"""Write a checkpoint as a Hugging Face Llama folder: `WORK/export`."""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import tokenizer as tokens
from model import HEAD_WIDTH, ROPE_THETA

LONGEST = 2048
TEMPLATE = (
    "<s>{% for document in documents or [] %}<{{ loop.index }}>{{ document.text }}<title>{{ document.title }}{% endfor %}"
    "<q>{{ messages[-1].content }}{% if add_generation_prompt %}<a>{% endif %}"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--block", action="store_true", help="the checkpoint was trained with --block")
    options = parser.parse_args()
    out = options.work / "export"
    out.mkdir(parents=True, exist_ok=True)
    weights = torch.load(options.checkpoint or options.work / "checkpoint.pt", weights_only=True)["model"]
    save_file({name: w.to(torch.float16).contiguous() for name, w in renamed(weights).items()}, out / "model.safetensors", metadata={"format": "pt"})
    write(out / "config.json", config(weights, options.block))
    write(out / "tokenizer_config.json", tokenizer_config())
    out.joinpath("tokenizer.json").write_bytes((options.work / "tokenizer.json").read_bytes())


def renamed(weights: dict) -> dict:
    """Our names to those of Hugging Face's Llama."""
    named = {"model.embed_tokens.weight": weights["embedding.weight"], "model.norm.weight": weights["last_norm.weight"]}
    for i in range(layers(weights)):
        ours, theirs = f"layers.{i}.", f"model.layers.{i}."
        query, key, value = weights[ours + "query_key_value.weight"].chunk(3)
        gate, up = weights[ours + "gate_up.weight"].chunk(2)
        named |= {
            theirs + "self_attn.q_proj.weight": query,
            theirs + "self_attn.k_proj.weight": key,
            theirs + "self_attn.v_proj.weight": value,
            theirs + "self_attn.o_proj.weight": weights[ours + "attended.weight"],
            theirs + "mlp.gate_proj.weight": gate,
            theirs + "mlp.up_proj.weight": up,
            theirs + "mlp.down_proj.weight": weights[ours + "down.weight"],
            theirs + "input_layernorm.weight": weights[ours + "before_attention.weight"],
            theirs + "post_attention_layernorm.weight": weights[ours + "before_inner.weight"],
        }
    return named


def layers(weights: dict) -> int:
    return 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))


def config(weights: dict, block: bool) -> dict:
    vocabulary, width = weights["embedding.weight"].shape
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": width,
        "intermediate_size": weights["layers.0.down.weight"].shape[1],
        "num_hidden_layers": layers(weights),
        "num_attention_heads": width // HEAD_WIDTH,
        "num_key_value_heads": width // HEAD_WIDTH,
        "head_dim": HEAD_WIDTH,
        "vocab_size": vocabulary,
        "max_position_embeddings": LONGEST,
        "rms_norm_eps": torch.finfo(torch.float32).eps,
        "rope_theta": ROPE_THETA,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": tokens.BOS,
        "eos_token_id": tokens.EOS,
        "pad_token_id": tokens.PAD,
        "torch_dtype": "float16",
        "ibid": {
            "card": "README.md",
            "quotes_better": True,  # Until `evaluate.py` says otherwise.
            "sources_are": "sentences",
            "source_order": "best_first",
            "max_sources": 8,
            "max_source_tokens": 90,
            "block_attention": block,
        },
    }


def tokenizer_config() -> dict:
    return {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "chat_template": TEMPLATE,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": LONGEST,
    }


def write(path: Path, value: dict):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
