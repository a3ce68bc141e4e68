"""The whole recipe: data, tokenizer, training, evaluation, export. `python run.py --data DIR --work DIR --minutes N`"""

import argparse
import random
import subprocess
import sys
from pathlib import Path

import corpus
import prepare
import tokenizer as tokens

HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=90, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["data"], help="stop when the data are prepared")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not (options.work / "ranked.pickle.gz").exists():
        data(options)
    if options.only == "data":
        return
    work = ["--work", str(options.work)]
    call("train.py", *work, "--minutes", str(options.minutes), "--seed", str(options.seed))
    call("evaluate.py", *work, "--data", str(options.data))
    call("export.py", *work)


def data(options):
    """Text to token ids: `tokenizer.json`, `sources.pickle.gz`, `ranked.pickle.gz`."""
    rng = random.Random(options.seed)
    parts = corpus.load(options.data, rng)
    for name, count in corpus.counts(parts).items():
        print(name, dict(count), flush=True)
    tokenizer = tokens.train(parts, options.seed)
    tokenizer.save(str(options.work / "tokenizer.json"))
    indexes = {name: prepare.index_of(part) for name, part in parts.items()}
    sources = {name: prepare.sources(part, indexes[name], tokenizer, rng) for name, part in parts.items()}
    prepare.save(options.work / "sources.pickle.gz", sources)
    ranked = {name: prepare.ranked(name, part, indexes[name], rng) for name, part in parts.items()}
    prepare.save(options.work / "ranked.pickle.gz", ranked)


def call(script: str, *arguments: str):
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


if __name__ == "__main__":
    main()
