"""Train from the prepared token ids, from checkpoint to checkpoint."""

import argparse
import signal
import sys
import time
from collections import deque
from multiprocessing import Value
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

import prepare
import tokenizer as tokens
from batches import COPY_WEIGHT, HINT_WEIGHT, POINTER_WEIGHT, STAGES, Batches, Fixed, Layout, mask
from corpus import SHARES
from model import Decoder, Shape
from start import begin

REFUSALS = {
    "en": "The sources do not answer this.",
    "ko": "제공된 문서에서 답을 찾을 수 없습니다.",
    "ja": "資料に答えはありません。",
    "zh": "资料中没有答案。",
}
WARM_STEPS, DECAY_FROM = 100, 0.6


def main():
    options = arguments()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Decoder(Shape(tokens.SIZE, options.width, options.layers, options.inner)).to(device)
    optimizer = torch.optim.AdamW(groups(model), lr=options.rate, betas=(0.9, 0.98), fused=True)
    stream = Stream(options)
    state = restore(options.work / "checkpoint.pt", model, optimizer)
    if state["step"] == 0:
        begin(model, stream.made.parts, options.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # SystemExit passes through `finally`.
    try:
        loop(options, model, optimizer, stream, state, device)
    finally:
        save(options.work / "checkpoint.pt", model, optimizer, state)


def loop(options, model, optimizer, stream, state, device):
    compiled = torch.compile(model)
    clock = time.perf_counter if device == "cuda" else lambda: time.process_time() / options.threads
    stream.go_on_from(state)
    recent = deque(maxlen=50)
    for batch in DataLoader(stream, batch_size=None, num_workers=options.workers, pin_memory=device == "cuda"):
        began = clock()
        done = state["seconds"] / (options.minutes * 60)
        if done >= 1:
            return
        stream.done.value = done
        for group in optimizer.param_groups:
            group["lr"] = options.rate * rate(state["step"], done)
        batch = {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
        recent.append(step(compiled, model, optimizer, batch, stream.made.layout))
        state["step"] += 1
        state["tokens"] += int((batch["ids"] != tokens.PAD).sum())
        state["seconds"] += clock() - began
        if state["step"] % options.report_every == 0:
            report(state, recent, batch)
        if state["step"] % options.save_every == 0:
            save(options.work / "checkpoint.pt", model, optimizer, state)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with the prepared data; checkpoints go here")
    parser.add_argument("--minutes", type=float, required=True, help="of the whole training, over all its parts; on CPUs only time in which it ran")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--inner", type=int, default=768)
    parser.add_argument("--batch-tokens", type=int, default=3072)
    parser.add_argument("--rate", type=float, default=1.5e-3, help="the highest learning rate")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches; 8 beside a GPU")
    parser.add_argument("--report-every", type=int, default=50, help="steps")
    parser.add_argument("--save-every", type=int, default=150, help="steps")
    parser.add_argument("--block", action="store_true", help="every source sees the beginning and itself only")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def restore(path: Path, model, optimizer) -> dict:
    """The state of a training that was interrupted, or of a new one."""
    if not path.exists():
        return {"step": 0, "tokens": 0, "seconds": 0.0}
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    return saved["state"]


def groups(model):
    """Weight decay for matrices only."""
    return [
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]


def batches(options) -> Batches:
    parts = prepare.load(options.work / "sources.pickle.gz")
    path = options.work / "ranked.pickle.gz"
    ranked = prepare.load(path) if path.exists() else {}
    tokenizer = tokens.load(options.work / "tokenizer.json")
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    fixed = Fixed({name: encode(text) for name, text in REFUSALS.items()}, [encode(str(d))[0] for d in range(10)])
    return Batches(parts, ranked, SHARES, fixed, Layout(options.block))


class Stream(IterableDataset):
    """Batches of the stage that the training has reached."""

    def __init__(self, options):
        self.options, self.step = options, 0
        self.done = Value("d", 0.0)
        self.made = batches(options)

    def go_on_from(self, state):
        self.step, self.done.value = state["step"], state["seconds"] / (self.options.minutes * 60)

    def __iter__(self):
        worker = get_worker_info()
        self.made.rng.seed(f"{self.options.seed} {self.step} {worker.id if worker else 0}")
        while True:
            stage = next(stage for stage in STAGES if self.done.value < stage.until)
            yield self.made.batch(stage, self.options.batch_tokens // stage.length)


def rate(step: int, done: float) -> float:
    """Warm up, stay, then fall in a line to a twentieth."""
    fall = 1 if done < DECAY_FROM else max(0.05, (1 - done) / (1 - DECAY_FROM))
    return min(1, (step + 1) / WARM_STEPS) * fall


def step(compiled, model, optimizer, batch, layout: Layout):
    """One update; gives the losses of the numbers and of the copied words, and how often the number was right."""
    chosen = batch["weights"] > 0
    targets, weights = batch["targets"][chosen], batch["weights"][chosen]
    with torch.autocast(batch["ids"].device.type, dtype=torch.bfloat16):
        hidden = compiled(batch["ids"], batch["positions"], mask(batch["branches"], batch["blocks"], layout))
        logits = model.logits(hidden[chosen]).float()
    losses = F.cross_entropy(logits, targets, reduction="none")
    ((losses * weights).sum() / weights.sum()).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    numbers, copied = weights == POINTER_WEIGHT, weights == COPY_WEIGHT
    right = logits.detach()[numbers].argmax(-1) == targets[numbers]
    hinted = losses[weights == HINT_WEIGHT]
    return torch.stack([losses[numbers].mean(), hinted.mean(), losses[copied].mean().nan_to_num(), right.float().mean()]).detach()


def report(state, recent, batch):
    number, hinted, copied, right = torch.stack(list(recent)).mean(0).tolist()
    speed = state["tokens"] / max(1.0, state["seconds"])
    print(
        f"step {state['step']} minutes {state['seconds'] / 60:.1f} tokens {state['tokens'] / 1e6:.2f}M {speed:.0f}/s "
        f"length {batch['ids'].shape[1]} number {number:.3f} right {right:.3f} hints {hinted:.3f} copy {copied:.3f}",
        flush=True,
    )


def save(path: Path, model, optimizer, state):
    partial = path.with_suffix(".partial")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "state": state}, partial)
    partial.replace(path)


if __name__ == "__main__":
    main()
