"""A contact here has a first and a last name and no full one; elsewhere a person often has a full name only."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

COMPOUND = (
    "欧阳 歐陽 太史 端木 上官 司马 司馬 东方 東方 独孤 獨孤 南宫 南宮 夏侯 诸葛 諸葛 尉迟 尉遲 皇甫 澹台 公孙 宗政 "
    "濮阳 令狐 慕容 长孙 長孫 宇文 司徒 司空"
)
"""Family names of two characters (复姓)."""


def full_name(row: Mapping[str, Any]) -> str:
    """Chinese names have the family name first and no space."""
    first, last = (str(row.get(name) or "").strip() for name in ("first_name", "last_name"))
    return last + first if _han(last + first) else f"{first} {last}".strip()


def parts(name: str) -> dict[str, str] | None:
    """The reverse, so that putting them together gives `name` again. None where it has only one part."""
    name = name.strip()
    if _han(name):
        cut = 2 if len(name) > 2 and name[:2] in COMPOUND else 1
        last, first = name[:cut], name[cut:]
    else:
        first, _, last = name.partition(" ")
    made = {"first_name": first.strip(), "last_name": last.strip()}
    return made if all(made.values()) and full_name(made) == name else None


def _han(text: str) -> bool:
    """All of it is written in Chinese characters."""
    return bool(text) and all(unicodedata.name(c, "").startswith(("CJK UNIFIED", "CJK COMPAT")) for c in text)
