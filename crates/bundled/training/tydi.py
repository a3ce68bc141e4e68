"""TyDi QA's gold passages in the format of the other training data: `python tydi.py FOLDER DATA`.

FOLDER holds `korean_tydiqa_train.json` and `english_tydiqa_train.json`, as SQuAD has them; `DATA/train/tydiqa-ko-train.jsonl.gz`
and `tydiqa-en-train.jsonl.gz` are written.
"""

import gzip
import json
import re
import sys
from pathlib import Path

LANGUAGES = {"ko": "korean", "en": "english"}


def main(folder: Path, data: Path):
    for short, name in LANGUAGES.items():
        rows = converted(json.loads((folder / f"{name}_tydiqa_train.json").read_text()))
        with gzip.open(data / "train" / f"tydiqa-{short}-train.jsonl.gz", "wt") as out:
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def converted(published: dict):
    for article in published["data"]:
        for paragraph in article["paragraphs"]:
            asked = [{"question": qa["question"], "answers": [answer["text"] for answer in qa["answers"]]} for qa in paragraph["qas"]]
            yield {"title": article["title"], "context": untagged(paragraph["context"]), "qas": asked}


def untagged(text: str) -> str:
    """Without what is left over of HTML and of footnotes."""
    return re.sub(r"</?[a-z]+>|\[\d+\]", "", text)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
