"""How well a checkpoint sums up a text and answers behind an example, on texts that it never saw.

A summary has no right answer that anyone wrote; what is told is how far it names the sentences that say most of what
the others say (`summary.py`), beside naming the first three. An example should change nothing: what is told is how
often the first number is right with one before the question, and without.
"""

import argparse
import json
import random
from pathlib import Path

import tokenizer as tokens
from batches import Layout
from evaluate import Item, Prompt, Reader, holds, items, load, order, read, share
from export import DECLINING, ENDING
from fewshot import WORDS
from sentences import language, split
from summary import MOST, REQUESTS, central

TEXTS = 150


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--ending", type=float, default=ENDING, help="added to the logit of ending the answer")
    parser.add_argument("--declining", type=float, nargs="*", default=[DECLINING, 0.0], help="added to the logit of refusing")
    options = parser.parse_args()
    model = load(options.checkpoint or options.work / "checkpoint.pt")
    reader = Reader(model, tokens.load(options.work / "tokenizer.json"), Layout(True))
    for name in ("squad2-en", "korquad-ko"):
        prompts = texts(options.data, name)
        for declining in options.declining:
            print("summaries", name, f"refusals {declining:+.2f}", json.dumps(summaries(reader, prompts, options.ending, declining)), flush=True)
    for name in ("noise-en", "noise-ko"):
        print("examples", name, json.dumps(behind_examples(reader, order(items(options.data, name), 12))), flush=True)


def texts(data: Path, name: str) -> list[Prompt]:
    """Requests to sum up one paragraph each."""
    rng, made = random.Random(7), []
    for context in read(data / "qa" / f"{name}-a.jsonl.gz"):
        sentences = split(context["context"])[:12]
        before, behind = rng.choice(REQUESTS[language(context["context"])])
        request = before if behind is None else f"{before}{context['title']}{behind}"
        if len(sentences) > MOST:
            made.append(Prompt(Item(request, [], []), [(context["title"], sentence) for sentence in sentences]))
    return rng.sample(made, min(TEXTS, len(made)))


def summaries(reader: Reader, prompts: list[Prompt], ending: float, declining: float) -> dict:
    wanted = [set(central([reader.encode(sentence, 90) for _, sentence in prompt.sources])) for prompt in prompts]
    named = reader.named(prompts, MOST, ending, declining)
    return {
        "F1": share(f1({n - 1 for n in numbers}, right) for numbers, right in zip(named, wanted)),
        "F1 of the first three": share(f1({*range(MOST)}, right) for right in wanted),
        "sentences": share(map(len, named)),
        "refused": share(not numbers for numbers in named),
        "texts": len(prompts),
    }


def f1(named: set[int], right: set[int]) -> float:
    return 2 * len(named & right) / (len(named) + len(right))


def behind_examples(reader: Reader, prompts: list[Prompt]) -> dict:
    rng = random.Random(7)
    possible = [p for p in prompts if p.item.answers]
    shown = [Prompt(Item(example(rng.choice(possible)) + p.item.question, p.item.answers, []), p.sources) for p in possible]
    firsts = {"without": reader.numbers(possible), "behind an example": reader.numbers(shown)}
    right = lambda logits: share(holds(p, int(row[1 : len(p.sources) + 1].argmax())) for p, row in zip(possible, logits))
    return {name: right(logits) for name, logits in firsts.items()} | {"questions": len(possible)}


def example(prompt: Prompt) -> str:
    """A question with the sentence that answers it, as `config/prompts` writes examples, and what opens the next question."""
    question, answer, end = WORDS[language(prompt.item.question)]
    held = next((i for i in range(len(prompt.sources)) if holds(prompt, i)), 0)
    return f"{question}{prompt.item.question}{answer}{prompt.sources[held][1]}{end}{question}"


if __name__ == "__main__":
    main()
