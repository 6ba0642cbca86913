"""What a sale in Tryton has no field for, kept in its two free texts. Pure.

The description names the CRM's number and our key: `SO-2026-0001 [dt-4f2a-57]`. Tryton lets nobody change it after the
draft, so the key is safe. The comment, which can always be changed, ends in a block of labelled lines under `--`:

    请随货附质检报告
    --
    Carrier 承运商: 顺丰速运
    Packing 包装: 木箱

What has no free text at all has a note on it, with number and key as a description has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

RULE = "--"
LABELS = {
    "crm_number": "CRM 单号",
    "carrier": "Carrier 承运商",
    "packing": "Packing 包装",
    "ship_to": "Ship to 收货地址",
    "shipment_hold": "Shipment held 发货冻结",
}
TEXTS = ("remarks", *LABELS)
"""Wire names of what the comment holds."""
NOTE = "ir.note"
_NOTES_AT_ONCE = 500
_BREAK = " ¶ "
_KEY = re.compile(r"(?P<number>.*?)\s*\[(?P<key>dt-[^\[\]\s]+)\]")


def described(number: str | None, key: str | None) -> str | None:
    """The description of a sale that we create."""
    return " ".join(part for part in (number, f"[{key}]" if key else None) if part) or None


def key_mark(key: str) -> str:
    """What the description of the sale with this key ends in."""
    return f"[{key}]"


def told_by_description(text: str | None) -> tuple[str | None, str | None]:
    """Number and key; a description that is not ours tells neither."""
    found = _KEY.fullmatch((text or "").strip())
    return (found["number"] or None, found["key"]) if found else (None, None)


def notes_on(model: str, ids: Iterable[int]) -> Iterator[list[Any]]:
    """Domains of the notes on records: Tryton lets them be searched by the very records only."""
    wanted = [f"{model},{one}" for one in sorted(ids)]
    for first in range(0, len(wanted), _NOTES_AT_ONCE):
        yield [["resource", "in", wanted[first : first + _NOTES_AT_ONCE]]]


def comment(texts: Mapping[str, str | None]) -> str | None:
    """The comment that holds `texts`, by their wire names."""
    remarks = (texts.get("remarks") or "").strip()
    block = [f"{label}: {_flat(texts[name])}" for name, label in LABELS.items() if texts.get(name)]
    if not block and taken_apart(remarks)["remarks"] == (remarks or None):
        return remarks or None
    return "\n".join([*([remarks] if remarks else []), RULE, *block])


def taken_apart(text: str | None) -> dict[str, str | None]:
    """The texts in a comment; what stands before the last `--` is the remark, if only labels follow."""
    told: dict[str, str | None] = dict.fromkeys(TEXTS)
    lines = (text or "").strip().splitlines()
    rules = [number for number, line in enumerate(lines) if line.strip() == RULE]
    found = {} if not rules else _labelled(lines[rules[-1] + 1 :])
    if rules and found is not None:
        told.update(found)
        lines = lines[: rules[-1]]
    told["remarks"] = "\n".join(lines).strip() or None
    return told


def _labelled(lines: list[str]) -> dict[str, str] | None:
    """None where one of the lines is not ours."""
    found: dict[str, str] = {}
    for line in lines:
        label, parted, value = line.partition(": ")
        name = next((name for name, known in LABELS.items() if known == label.strip()), None)
        if name is None or not parted:
            return None
        found[name] = value.strip().replace(_BREAK, "\n")
    return found


def _flat(text: str | None) -> str:
    return _BREAK.join(line.strip() for line in (text or "").splitlines())
