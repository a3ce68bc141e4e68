"""What whole sentences and questions mean, as a published sentence encoder sees it: targets for the middle of the model.

A small model learns from its questions to match words and little more. An encoder that was trained on a billion pairs
knows more, and its vector of a sentence says what it knows; learning to give that vector (Hinton et al. 2015) is a task
with a hundred numbers to a sentence where a question has a single right one. A Korean sentence is to mean what its
English translation means (Reimers and Gurevych 2020).

`python meaning.py --work WORK --english FOLDER` writes `WORK/meaning.pt`: `vectors` [rows, MEANING], of length one, and
`rows`, which says of every part's every source which row each sentence and each question has; -1 where it has none.
"""

import argparse
import re
from pathlib import Path

import torch

import prepare
import tokenizer as tokens
from model import MEANING
from prepare import Source

BATCH_TOKENS = 6144
LONGEST = 96
FOREIGN = re.compile(r"[぀-鿿가-힣]")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True, help="a sentence encoder's folder (all-MiniLM-L6-v2)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = tokens.load(options.work / "tokenizer.json")
    numbers, rows = {}, {}
    parts = prepare.load(options.work / "sources.pickle.gz")
    for name, part in parts.items():
        rows[name] = translated(part, [texts(source, tokenizer) for source in part]) if name == "parallel" else [texts(s, tokenizer) for s in part]
        rows[name] = [tuple([numbers.setdefault(t, len(numbers)) if t else -1 for t in kind] for kind in both) for both in rows[name]]
    print(len(numbers), "texts", flush=True)
    vectors = components(encode(options.english, list(numbers)))
    torch.save({"vectors": vectors, "rows": rows}, options.work / "meaning.pt")
    prepare.save(options.work / "sources.pickle.gz", parts | {"natural": asked_anew(parts["natural"], rows["natural"], vectors.float())})


def texts(source: Source, tokenizer) -> tuple[list[str], list[str]]:
    """What the encoder reads of each sentence and each question; empty where it cannot read it."""
    title = tokenizer.decode(source.title)
    sentences = [f"{title}. {s}" if title else s for s in tokenizer.decode_batch(source.sentences)]
    questions = tokenizer.decode_batch([question.texts[0] for question in source.questions])
    readable = lambda listed: ["" if FOREIGN.search(text) else text for text in listed]
    return readable(sentences), readable(questions)


def translated(part: list[Source], read: list[tuple[list[str], list[str]]]) -> list[tuple[list[str], list[str]]]:
    """A Korean paragraph stands before its English one, sentence for sentence; a Korean question means the sentence it asks for."""
    for korean, english in zip(range(0, len(part), 2), range(1, len(part), 2)):
        there = read[english][0]
        read[korean] = (there, read[korean][1])
        read[english] = (there, [there[question.sentence] for question in part[english].questions])
    return read


def asked_anew(part: list[Source], rows, vectors: torch.Tensor) -> list[Source]:
    """Searchers' questions ask for the sentence that means most nearly what they mean; until now, the one with most of their words."""
    for source, (sentences, questions) in zip(part, rows):
        if not source.title and min(sentences) >= 0:
            for question, row in zip(source.questions, questions):
                question.sentence = int((vectors[list(sentences)] @ vectors[row]).argmax())
                question.holders = {question.sentence}
    return part


@torch.no_grad()
def encode(folder: Path, listed: list[str]) -> torch.Tensor:
    """The encoder's vectors, [texts, its width], of length one."""
    from transformers import AutoModel, AutoTokenizer

    encoder, split = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    split_ids = split(listed, truncation=True, max_length=LONGEST)["input_ids"]
    order = sorted(range(len(listed)), key=lambda i: len(split_ids[i]))
    vectors = torch.zeros(len(listed), encoder.config.hidden_size)
    for batch in batched(order, lambda i: len(split_ids[i])):
        padded = split.pad({"input_ids": [split_ids[i] for i in batch]}, return_tensors="pt")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = encoder(**padded).last_hidden_state.float()
        seen = padded["attention_mask"].unsqueeze(-1)
        vectors[batch] = unit((hidden * seen).sum(1) / seen.sum(1))
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


def components(vectors: torch.Tensor) -> torch.Tensor:
    """The first principal components, in half precision."""
    vectors = vectors - vectors.mean(0)
    directions = torch.linalg.eigh(vectors.T @ vectors).eigenvectors.flip(1)[:, :MEANING]
    return unit(vectors @ directions).half()


def unit(rows: torch.Tensor) -> torch.Tensor:
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-3)


if __name__ == "__main__":
    main()
