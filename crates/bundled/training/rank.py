"""Ranking by words: hard distractors for training, and the order in which sentences enter a prompt."""

import math
import re
from collections import Counter, defaultdict

_RUN = re.compile(r"[^\W_]+")
_BIGRAM = re.compile(r"[぀-鿿가-힣]")
_STOP = set(
    "a an the of in on at to for from by with and or is are was were be been do does did has have had it its this that "
    "what which who whom whose when where why how many much as he she they his her their".split()
)
K1, B = 1.2, 0.75


def terms(text: str) -> list[str]:
    """Lower-cased words without their plural s; runs of Hangul, Han and kana as overlapping pairs."""
    found = []
    for run in _RUN.findall(text.lower()):
        if _BIGRAM.search(run):
            found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
        elif run not in _STOP:
            found.append(run[:-1] if len(run) > 3 and run.endswith("s") else run)
    return found


class Bm25:
    """An inverted index over texts (Robertson and Zaragoza 2009)."""

    def __init__(self, texts: list[str]):
        counts = [Counter(terms(text)) for text in texts]
        self.size = max(1, len(texts))
        mean = sum(c.total() for c in counts) / self.size or 1
        self.postings = defaultdict(list)
        for i, c in enumerate(counts):
            norm = K1 * (1 - B + B * c.total() / mean)
            for term, n in c.items():
                self.postings[term].append((i, n * (K1 + 1) / (n + norm)))

    def idf(self, term: str) -> float:
        n = len(self.postings.get(term, ()))
        return math.log(1 + (self.size - n + 0.5) / (n + 0.5))

    def search(self, query: str, limit: int, commonest: float = 0.1) -> list[int]:
        """The best texts, best first. Terms in more than `commonest` of the texts are passed over, for speed."""
        scores = Counter()
        for term in set(terms(query)):
            posting = self.postings.get(term, ())
            if len(posting) > max(50, commonest * self.size):
                continue
            idf = self.idf(term)
            for i, weight in posting:
                scores[i] += idf * weight
        return [i for i, _ in scores.most_common(limit)]


TITLE_SHARE = 0.5  # A word found only in the title counts half.


def order_sentences(index: Bm25, question: str, sentences: list[tuple[str, str]]) -> list[int]:
    """Positions of (title, sentence) pairs, best match with the question first, by BM25 over these sentences."""
    wanted = set(terms(question))
    found = [Counter(terms(sentence)) for _, sentence in sentences]
    titles = [set(terms(title)) for title, _ in sentences]
    mean = sum(c.total() for c in found) / max(1, len(found)) or 1

    def score(i: int) -> float:
        norm = K1 * (1 - B + B * found[i].total() / mean)
        return sum(
            index.idf(t) * (found[i][t] * (K1 + 1) / (found[i][t] + norm) if found[i][t] else TITLE_SHARE * (t in titles[i]))
            for t in wanted
        )

    return sorted(range(len(sentences)), key=lambda i: (-score(i), i))
