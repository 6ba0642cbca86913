"""What the console says, in English and Chinese. The English text is the key; zh.po has the Chinese."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"[a-z]+(?:_[a-z]+)+")
LANGUAGES = {"en": "English", "zh": "中文"}


@cache
def _chinese() -> dict[str, str]:
    from babel.messages.pofile import read_po

    with files(__package__).joinpath("zh.po").open("rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file) if one.id and one.string}


def said(text: str, language: str) -> str:
    """`text` in the language, or in English; a name such as `price_list` as people write it."""
    if language == "zh" and (found := _chinese().get(text)):
        return found
    return text.replace("_", " ") if _NAME.fullmatch(text) else text


def preferred(told: str) -> str:
    """The language that a browser asks for first (`Accept-Language`)."""
    weighed = []
    for part in told.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((float(weight or 1), name.lower()[:2]))
        except ValueError:
            continue
    known = [(weight, name) for weight, name in weighed if name in LANGUAGES]
    return max(known, key=lambda one: one[0])[1] if known else "en"
