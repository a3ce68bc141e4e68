"""What a summary is made of, without anyone having written one: the sentences that say most of what the others say."""

import math
from collections import Counter

MOST = 3
REQUESTS = {
    "en": (
        *[("Summarise the following text in a few plain sentences that keep to its words.\n\n", "\n\nSummary:")] * 3,
        *[("Summarise ", "."), ("Summarize what is known of ", ""), ("Give me a short summary of ", ".")],
        *[("Summarise.", None), ("Sum up the main points.", None), ("summary", None)],
    ),
    "ko": (
        *[("다음 글을 글의 표현을 살려 몇 문장으로 요약하세요.\n\n", "\n\n요약:")] * 3,
        *[("", "에 대해 요약해 주세요."), ("", " 요약"), ("", "의 핵심을 정리해 줘.")],
        *[("요약해 줘.", None), ("간단히 정리해 주세요.", None), ("핵심만 알려줘", None)],
    ),
    "ja": (("要約してください。", None),),
    "zh": (("请总结。", None),),
}
"""What asks for one, before and behind the title; without the title where nothing is behind it."""


def central(sentences: list[list[int]]) -> list[int]:
    """Positions of the most central sentences, ascending; about a third of all, at most MOST.

    A sentence is as central as its words are shared by the others (Luhn 1958), each sentence counting the square root
    of its length, and the first of all a little more.
    """
    shared = Counter(token for sentence in sentences for token in set(sentence))
    say = lambda ids: sum(shared[t] - 1 for t in set(ids) if shared[t] <= 0.7 * len(sentences)) / math.sqrt(len(ids) + 1)
    order = sorted(range(len(sentences)), key=lambda i: -say(sentences[i]) * (1.3 if i == 0 else 1))
    return sorted(order[: min(MOST, max(1, len(sentences) // 3))])
