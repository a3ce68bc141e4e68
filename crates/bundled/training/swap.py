"""Questions about something else: the same words with another name or number, which no source answers.

Who asks about something that the sources do not speak of asks in the words of something that they do (Rajpurkar et al.
2018 call it an entity swap). A model that was never shown this answers from the nearest sentence.
"""

import random
import re

from sentences import language

NAME = re.compile(r"(?<!^)(?<=[ (\"“])[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
LONGEST_TITLE = 10  # Characters; longer ones are no names.
INSIDE = 0.4
"""The share of names that come from another sentence of the same paragraph: all words of the question stand there, but not together."""


class Swaps:
    """Draws from the names, numbers and titles of all paragraphs of a part."""

    def __init__(self, part, rng: random.Random):
        self.rng = rng
        asked = [question.text for paragraph in part for question in paragraph.questions]
        self.names = sorted({name for text in asked for name in NAME.findall(text)})
        self.numbers = sorted({number for text in asked for number in NUMBER.findall(text)})
        titles = sorted({p.title for p in part if language(p.title) == "ko" and len(p.title) <= LONGEST_TITLE})
        self.titles = {closed: [title for title in titles if closes(title) == closed] for closed in (False, True)}

    def other(self, paragraph, question) -> str | None:
        """The question about something else; None where it names nothing."""
        spoken = language(question.text)
        if spoken == "ko":
            return self.other_title(paragraph, question)
        return self.other_name(paragraph, question) if spoken == "en" else None

    def other_title(self, paragraph, question) -> str | None:
        """Particles stay right, as the new title ends like the old one."""
        title = paragraph.title
        pool = self.titles[closes(title)] if title and title in question.text else []
        return self.replaced(question.text, title, re.escape(title), pool, paragraph)

    def other_name(self, paragraph, question) -> str | None:
        text = question.text
        named = [(name, self.names) for name in NAME.findall(text)] + [(number, self.numbers) for number in NUMBER.findall(text)]
        if not named:
            return None
        old, pool = self.rng.choice(named)
        whole = rf"\b{re.escape(old)}\b"
        if pool is self.names and self.rng.random() < INSIDE:
            inside = names_beside(paragraph, question, old)
            if inside:
                return re.sub(whole, self.rng.choice(inside), text)
        return self.replaced(text, old, whole, pool, paragraph)

    def replaced(self, text: str, old: str, where: str, pool: list[str], paragraph) -> str | None:
        """With something that the paragraph does not speak of."""
        new = self.rng.choice(pool) if pool else old
        spoken = new in old or old in new or any(new in sentence for sentence in [paragraph.title, *paragraph.sentences])
        return None if spoken else re.sub(where, new, text)


def names_beside(paragraph, question, old: str) -> list[str]:
    """Names that only other sentences of the paragraph hold than the one that answers."""
    elsewhere = [sentence for i, sentence in enumerate(paragraph.sentences) if i != question.sentence]
    said = paragraph.sentences[question.sentence] + question.text
    return sorted({name for sentence in elsewhere for name in NAME.findall(sentence) if name not in said and old not in name})


def closes(word: str) -> bool:
    """Whether a Korean word ends in a consonant, by which its particles go."""
    return bool(word) and "가" <= word[-1] <= "힣" and (ord(word[-1]) - ord("가")) % 28 > 0
