"""The one door for marks in text that nobody sees."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


def seen(text: str) -> str:
    """Without marks of writing direction, soft hyphens and characters of no width: pasted from a page or a cell they
    make another code of the same one. Not for names and free text, where a joiner may belong (emoji, Persian)."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
