"""How examples stand before a question: as `config/prompts/answer.*.jinja` writes them."""

SHARE = 0.08
"""The share of questions that stand behind examples: the model should not take those for the question."""
WORDS = {
    "en": ("Question: ", "\nAnswer: ", "\n\n"),
    "ko": ("질문: ", "\n답: ", "\n\n"),
    "ja": ("Question: ", "\nAnswer: ", "\n\n"),
    "zh": ("Question: ", "\nAnswer: ", "\n\n"),
}
"""What stands before the example's question, its answer, and behind it."""


def examples(part, words: list[list[int]], rng) -> list[int]:
    """One or two answered questions of other paragraphs, and what comes before the question that is asked."""
    question, answer, end = words
    ids = []
    while len(ids) == 0 or rng.random() < 0.3:
        source = rng.choice(part)
        if source.questions:
            asked = rng.choice(source.questions)
            ids += [*question, *rng.choice(asked.texts), *answer, *source.sentences[asked.sentence], *end]
    return ids + question
