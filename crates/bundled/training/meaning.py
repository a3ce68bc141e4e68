"""What whole sentences and questions mean, as published models see it: targets for the middle of the model.

A small model learns from its questions to match words and little more. An encoder that was trained on a billion pairs
knows more, and its vector of a sentence says what it knows; learning to give that vector (Hinton et al. 2015) is a task
with a hundred numbers to a sentence where a question has a single right one. English texts mean what MiniLM says, Korean
ones what their words mean together (`kiwi.py`), turned so that translations lie as near each other as a turn can bring
them (Artetxe et al. 2016); of a Korean sentence whose translation is known, that is the meaning (Reimers and Gurevych 2020).

`python meaning.py --work WORK --english FOLDER` writes `WORK/meaning.pt`, [rows, MEANING], of length one, and to
`WORK/sources.pickle.gz` which row each sentence and each question has.
"""

import argparse
import re
from pathlib import Path

import torch

import prepare
import tokenizer as tokens
from encoder import encode, unit
from kiwi import Korean
from model import MEANING
from prepare import Source

FOREIGN, HANGUL = re.compile(r"[぀-鿿가-힣]"), re.compile(r"[가-힣]")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--english", type=Path, required=True, help="a sentence encoder's folder (all-MiniLM-L6-v2)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = tokens.load(options.work / "tokenizer.json")
    parts = prepare.load(options.work / "sources.pickle.gz")
    numbers, pairs = {}, []
    for name, part in parts.items():
        read = [texts(source, tokenizer) for source in part]
        if name == "parallel":
            pairs = translations(read)
            read = translated(part, read)
        number(part, read, numbers)
    vectors = told(options.english, list(numbers), [(korean, numbers[english]) for korean, english in pairs])
    ask_anew(parts["natural"], vectors.float())
    torch.save(vectors, options.work / "meaning.pt")
    prepare.save(options.work / "sources.pickle.gz", parts)


def told(folder: Path, listed: list[str], pairs: list[tuple[str, int]]) -> torch.Tensor:
    """What each text means, in half precision; `pairs` are Korean sentences with the rows of their translations."""
    korean = torch.tensor([is_korean(text) for text in listed])
    print(len(listed), "texts, Korean of them", int(korean.sum()), flush=True)
    texts = {language: [text for text, there in zip(listed, korean) if there == language] for language in (False, True)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        english = components(unit(encode(folder, texts[False]))).float()
    vectors = torch.zeros(len(listed), MEANING)
    vectors[~korean] = english
    known = Korean(texts[True])
    sentences, rows = zip(*[(text, row) for text, row in pairs if is_korean(text) and not korean[row]])
    vectors[korean] = unit(known(texts[True]) @ turned(known(list(sentences)), vectors[list(rows)]))
    return vectors.half()


def is_korean(text: str) -> bool:
    return len(HANGUL.findall(text)) > 0.2 * len(text)


def turned(korean: torch.Tensor, english: torch.Tensor) -> torch.Tensor:
    """The turn that brings texts nearest to their translations (Schönemann 1966), [width of one, width of the other]."""
    left, _, right = torch.linalg.svd((korean - korean.mean(0)).T @ (english - english.mean(0)), full_matrices=False)
    return left @ right


def number(part: list[Source], read: list[tuple[list[str], list[str]]], numbers: dict[str, int]) -> None:
    """Tells every sentence and question its row; the same text has the same."""
    row = lambda text: numbers.setdefault(text, len(numbers)) if text else -1
    for source, (sentences, questions) in zip(part, read):
        source.meanings = [row(text) for text in sentences]
        for question, text in zip(source.questions, questions):
            question.meaning = row(text)


def texts(source: Source, tokenizer) -> tuple[list[str], list[str]]:
    """What is read of each sentence and each question; empty where nobody can read it."""
    title = tokenizer.decode(source.title)
    sentences = [f"{title}. {s}" if title else s for s in tokenizer.decode_batch(source.sentences)]
    questions = tokenizer.decode_batch([question.texts[0] for question in source.questions])
    readable = lambda listed: [text if is_korean(text) or not FOREIGN.search(text) else "" for text in listed]
    return readable(sentences), readable(questions)


def translations(read: list[tuple[list[str], list[str]]]) -> list[tuple[str, str]]:
    """Korean sentences with their English ones, where both can be read."""
    return [pair for korean, english in zip(read[::2], read[1::2]) for pair in zip(korean[0], english[0]) if all(pair)]


def translated(part: list[Source], read: list[tuple[list[str], list[str]]]) -> list[tuple[list[str], list[str]]]:
    """A Korean paragraph stands before its English one, sentence for sentence; a Korean question means the sentence it asks for."""
    for korean, english in zip(range(0, len(part), 2), range(1, len(part), 2)):
        there = read[english][0]
        read[korean] = (there, read[korean][1])
        read[english] = (there, [there[question.sentence] for question in part[english].questions])
    return read


def ask_anew(part: list[Source], vectors: torch.Tensor) -> None:
    """Searchers' questions ask for the sentence that means most nearly what they mean; until now, the one with most of their words."""
    for source in part:
        if not source.title and min(source.meanings) >= 0:
            for question in source.questions:
                question.sentence = int((vectors[source.meanings] @ vectors[question.meaning]).argmax())
                question.holders = {question.sentence}


def components(vectors: torch.Tensor) -> torch.Tensor:
    """The first principal components."""
    vectors = vectors - vectors.mean(0)
    directions = torch.linalg.eigh(vectors.T @ vectors).eigenvectors.flip(1)[:, :MEANING]
    return unit(vectors @ directions)


if __name__ == "__main__":
    main()
