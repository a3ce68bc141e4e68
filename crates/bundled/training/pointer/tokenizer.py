"""The byte-level BPE tokenizer: 16,384 entries, digits one by one, special tokens for the parts of a prompt."""

import random
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus import Paragraph
from sentences import language

SIZE = 16_384
MOST_SOURCES = 16
SPECIAL = ["<pad>", "<s>", "</s>", "<title>", "<q>", "<a>", "<short>"] + [f"<{n}>" for n in range(MOST_SOURCES + 1)]
PAD, BOS, EOS, TITLE, QUESTION, ANSWER, SHORT, NUMBER = range(8)
"""Token ids; source n is marked by NUMBER + n, NUMBER + 0 opens a refusal, and SHORT asks for the bare words, in training."""

# How often each language's text counts, so that the little Korean there is gets its part of the vocabulary.
REPEATS = {"en": 1, "ko": 4, "ja": 0.3, "zh": 0.3}


def train(parts: dict[str, list[Paragraph]], seed: int) -> Tokenizer:
    rng = random.Random(seed)
    texts = []
    for part in parts.values():
        for paragraph in part:
            text = "\n".join([paragraph.title] + paragraph.sentences + [q.text for q in paragraph.questions[:2]])
            share = REPEATS[language(text)]
            texts += [text] * (int(share) + (rng.random() < share % 1))
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=alphabet, special_tokens=SPECIAL))
    return tokenizer


def load(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def characters_per_token(tokenizer: Tokenizer, texts: list[str]) -> float:
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    return sum(map(len, texts)) / sum(len(e.ids) for e in encoded)
