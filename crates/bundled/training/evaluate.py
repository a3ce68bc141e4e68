"""How well a checkpoint answers, beside quoting the best-matching sentence, on questions it never saw.

The sentences of the given passages are ordered by words as the pipeline orders them; the first ones are the sources.
Quoting answers with the first and never refuses.
"""

import argparse
import gzip
import json
import random
from dataclasses import dataclass
from pathlib import Path

import torch

import tokenizer as tokens
from batches import Layout, Sequence, mask, stack
from model import Decoder, Shape
from prepare import LONGEST_SENTENCE, LONGEST_TITLE
from rank import Bm25, order_sentences
from sentences import split

SOURCES = 12
SAMPLE = 200
LONGEST_REQUEST = 200  # Tokens; examples may stand before a question.
MOST_WRONG = 0.1
"""The share of answerable questions that may be refused."""


@dataclass
class Item:
    question: str
    answers: list[str]
    """Empty when right is to refuse."""
    passages: list[tuple[str, str]]
    """Titles and texts."""


@dataclass
class Prompt:
    item: Item
    sources: list[tuple[str, str]]
    """Titles and sentences, best match first."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--sources", type=int, default=SOURCES)
    parser.add_argument("--bias", type=float, nargs="*", default=[0.0], help="added to the logit of refusing")
    parser.add_argument("--sets", nargs="*", default=["noise-en", "noise-ko", "squad2-en", "korquad-ko"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--block", choices=["both", "yes", "no"], default="both", help="whether every source is read by itself")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load(options.checkpoint or options.work / "checkpoint.pt")
    for name in options.sets:
        prompts = order(items(options.data, name), options.sources)
        print(name, json.dumps(baseline(prompts)), flush=True)
        for block in {"both": (True, False), "yes": (True,), "no": (False,)}[options.block]:
            reader = Reader(model, tokens.load(options.work / "tokenizer.json"), Layout(block))
            logits = reader.numbers(prompts)
            for bias in [*options.bias, most_refusing(prompts, logits)]:
                print(name, f"block {block} refusals {bias:+.2f}", json.dumps(score(reader, prompts, logits, bias)), flush=True)


def items(data: Path, name: str) -> list[Item]:
    """A set by name: passages as given in `rag`, or the right one of `qa` among four that BM25 takes for it."""
    if name.startswith("noise"):
        rows = read(data / "rag" / f"{name}-a.jsonl.gz")
        return [Item(r["query"], r["answer"] if r["kind"] == "answer" else [], [(d["title"], d["text"]) for d in r["docs"]]) for r in rows]
    contexts = read(data / "qa" / f"{name}-a.jsonl.gz")
    index = Bm25([f"{c['title']} {c['context']}" for c in contexts])
    asked = [(i, qa) for i, c in enumerate(contexts) for qa in c["qas"]]
    random.Random(7).shuffle(asked)
    possible = [pair for pair in asked if not pair[1].get("unanswerable")][:SAMPLE]
    refused = [pair for pair in asked if pair[1].get("unanswerable")][: SAMPLE // 2]
    made = [among_distractors(contexts, index, i, qa) for i, qa in possible + refused]
    if not refused:  # No unanswerable questions: take the right passage away.
        made += [Item(m.question, [], m.passages[1:]) for m in made[: SAMPLE // 2]]
    return made


def read(path: Path) -> list[dict]:
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def among_distractors(contexts, index: Bm25, i: int, qa) -> Item:
    answers = [] if qa.get("unanswerable") else qa["answers"]
    near = [j for j in index.search(qa["question"], 20) if j != i and not contains(contexts[j]["context"], qa["answers"])]
    return Item(qa["question"], answers, [(contexts[j]["title"], contexts[j]["context"]) for j in [i, *near[:4]]])


def order(found: list[Item], limit: int) -> list[Prompt]:
    index = Bm25([f"{title} {text}" for item in found for title, text in item.passages])
    prompts = []
    for item in found:
        pairs = [(title, sentence) for title, text in item.passages for sentence in split(text)]
        best = order_sentences(index, item.question, pairs)[:limit]
        prompts.append(Prompt(item, [pairs[i] for i in best]))
    return prompts


class Reader:
    """A model that names sources."""

    def __init__(self, model: Decoder, tokenizer, layout: Layout):
        self.model, self.tokenizer, self.layout = model, tokenizer, layout

    def numbers(self, prompts: list[Prompt]) -> torch.Tensor:
        """Logits of «refuse», «1», «2»… for each prompt."""
        return self.next([self.sequence(prompt) for prompt in prompts])[:, tokens.NUMBER :][:, : tokens.MOST_SOURCES + 1]

    def seconds(self, prompts: list[Prompt], firsts: list[int]) -> list[int]:
        """What follows these first numbers: another number, or 0 where the answer ends."""
        logits = self.further(prompts, [[first] for first in firsts])
        logits[:, 1] = float("-inf")  # It is too late to refuse.
        return (logits.argmax(-1) - 1).clamp_min(0).tolist()

    def further(self, prompts: list[Prompt], said: list[list[int]]) -> torch.Tensor:
        """Logits of ending, of refusing, and of each number that there is and that was not said yet."""
        logits = self.next([self.sequence(*pair) for pair in zip(prompts, said)])
        logits = torch.cat([logits[:, [tokens.EOS]], logits[:, tokens.NUMBER :][:, : tokens.MOST_SOURCES + 1]], 1)
        for row, prompt, numbers in zip(logits, prompts, said):
            row[len(prompt.sources) + 2 :] = float("-inf")
            row[[1 + n for n in numbers]] = float("-inf")
        return logits

    def next(self, sequences: list[Sequence], size: int = 15) -> torch.Tensor:
        """Logits of the token behind each sequence."""
        rows = []
        for start in range(0, len(sequences), size):
            batch = sequences[start : start + size]
            last = torch.tensor([len(sequence.ids) - 1 for sequence in batch])
            rows.append(self.model.logits(self.hidden(batch)[torch.arange(len(batch)), last]).float())
        return torch.cat(rows).detach()

    def named(self, prompts: list[Prompt], most: int, ending: float, declining: float) -> list[list[int]]:
        """The numbers of whole answers, each once, at most so many; none where the model refuses."""
        said = [[] for _ in prompts]
        going = [*range(len(prompts))]
        for _ in range(most):
            logits = self.further([prompts[i] for i in going], [said[i] for i in going])
            logits[:, 0] += ending
            logits[:, 1] += declining
            nexts = {i: number - 1 for i, number in zip(going, logits.argmax(-1).tolist())}
            going = [i for i, number in nexts.items() if number > 0]
            for i in going:
                said[i].append(nexts[i])
        return said

    def sequence(self, prompt: Prompt, said: list[int] = ()) -> Sequence:
        """A prompt, and the numbers that the answer begins with."""
        sequence, furthest = Sequence(), 1
        sequence.add([tokens.BOS], 0, 0, 0)
        start = 1
        for number, (title, sentence) in enumerate(prompt.sources, 1):
            ids = [tokens.NUMBER + number, *self.encode(title, LONGEST_TITLE), tokens.TITLE, *self.encode(sentence, LONGEST_SENTENCE), tokens.END]
            sequence.add(ids, start, 0, number)
            furthest = max(furthest, start + len(ids))
            start = 1 if self.layout.block else furthest
        numbers = [tokens.NUMBER + n for n in said]
        question = [tokens.BEST, *self.encode(prompt.item.question, LONGEST_REQUEST), tokens.ANSWER, *numbers]
        sequence.add(question, furthest, 1, 0)
        return sequence

    def encode(self, text: str, longest: int) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids[:longest]

    @torch.no_grad()
    def hidden(self, sequences: list[Sequence]) -> torch.Tensor:
        batch = stack(sequences, max(len(s.ids) for s in sequences))
        seen = mask(batch["branches"], batch["blocks"], self.layout)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.model(batch["ids"], batch["positions"], seen)[0]


def baseline(prompts: list[Prompt]) -> dict:
    """Quoting the first source, and how often the answer stands in the first few at all."""
    possible = [p for p in prompts if p.item.answers]
    return {f"gold in first {n}": share(any(holds(p, k) for k in range(n)) for p in possible) for n in (1, 2, 4, 8, 12)}


def score(reader: Reader, prompts: list[Prompt], logits: torch.Tensor, bias: float) -> dict:
    shifted = logits.clone()
    shifted[:, 0] += bias
    for row, prompt in enumerate(prompts):
        shifted[row, len(prompt.sources) + 1 :] = float("-inf")
    picked = shifted.argmax(-1).tolist()
    unrefused = (shifted[:, 1:].argmax(-1) + 1).tolist()
    seconds = reader.seconds(prompts, unrefused)
    possible = [i for i, p in enumerate(prompts) if p.item.answers]
    refusable = [i for i, p in enumerate(prompts) if not p.item.answers]
    said = {i: [unrefused[i]] + [seconds[i]] * (seconds[i] > 0) for i in possible}
    found = {i: any(holds(prompts[i], n - 1) for n in numbers) for i, numbers in said.items()}
    return {
        "first": share(holds(prompts[i], unrefused[i] - 1) for i in possible),
        "answer": share(found.values()),
        "sentences": share(len(numbers) for numbers in said.values()),
        "answer unless refused": share(picked[i] > 0 and found[i] for i in possible),
        "wrong refusals": share(picked[i] == 0 for i in possible),
        "right refusals": share(picked[i] == 0 for i in refusable),
        "questions": [len(possible), len(refusable)],
    }


def most_refusing(prompts: list[Prompt], logits: torch.Tensor) -> float:
    """The bias that refuses as much as MOST_WRONG allows: what a threshold could reach, as it is chosen on the set itself."""
    margins = [float(logits[i, 1 : len(p.sources) + 1].max() - logits[i, 0]) for i, p in enumerate(prompts) if p.item.answers]
    return sorted(margins)[int(MOST_WRONG * len(margins))] - 1e-4


def holds(prompt: Prompt, source: int) -> bool:
    return source < len(prompt.sources) and contains(prompt.sources[source][1], prompt.item.answers)


def contains(text: str, answers: list[str]) -> bool:
    squeezed = "".join(text.lower().split())
    return any("".join(answer.lower().split()) in squeezed for answer in answers)


def share(outcomes) -> float:
    outcomes = list(outcomes)
    return round(sum(outcomes) / max(1, len(outcomes)), 3)


def load(path: Path) -> Decoder:
    weights = torch.load(path, weights_only=True)["model"]
    vocabulary, width = weights["embedding.weight"].shape
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
    model = Decoder(Shape(vocabulary, width, layers, weights["layers.0.down.weight"].shape[1]))
    model.load_state_dict(weights)
    return model.eval()


if __name__ == "__main__":
    main()
