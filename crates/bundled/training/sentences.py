"""Texts into sentences: the units that become numbered sources, and the answers."""

import re

SHORTEST = 30  # Characters; less than this is joined to what follows, for "No." or "제1조." is no answer.
LONGEST = 400

_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？])|\n+")
_WIDE = re.compile(r"[぀-鿿]")


def split(text: str) -> list[str]:
    """The sentences of a text, in order, each between about SHORTEST and LONGEST characters."""
    sentences, pending = [], ""
    for piece in _END.split(text):
        piece = " ".join(piece.split())
        pending = f"{pending} {piece}".strip() if piece else pending
        if len(pending) >= shortest(pending):
            sentences.append(pending[:LONGEST])
            pending = ""
    if pending:
        sentences.append(pending)
    return sentences


def shortest(text: str) -> int:
    """Han, kana and Hangul say more in a character than Latin letters do."""
    return SHORTEST // 2 if language(text) != "en" else SHORTEST


def language(text: str) -> str:
    """One of ko, ja, zh, en, by the script."""
    if re.search("[가-힣]", text):
        return "ko"
    if re.search("[ぁ-ヿ]", text):
        return "ja"
    return "zh" if _WIDE.search(text) else "en"
