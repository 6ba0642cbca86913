"""How SimERP writes values: nothing is an empty text there, or null where it points."""

from __future__ import annotations

import re
from dataclasses import replace

from datong.mapping import Converter, boolean, email, phone, text, trimmed

OWN_KEY = "extRef"


def blank(convert: Converter) -> Converter:
    return replace(convert, null="")


TEXT = text(null="")
CODE = trimmed(null="")
EMAIL = blank(email())
PHONE = blank(phone("CN"))
ENABLED = boolean(yes=False, no=True)
"""For the fields that say the opposite: disabled, discontinued."""


def without_index(field: str | None) -> str | None:
    """The wire path of a refused field: `lines[0].qty` is `lines.qty`."""
    return re.sub(r"\[\d+\]", "", field) if field else None
