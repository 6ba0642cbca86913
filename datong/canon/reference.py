"""`python -m datong.canon.reference` writes docs/reference/fields.md from the catalogue; `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

from datong.canon.catalogue import KINDS, FieldSpec, catalogue

TARGET = Path(__file__).parents[2] / "docs" / "reference" / "fields.md"

HEAD = """\
# Fields of the records

Made by `python -m datong.canon.reference`; do not edit.

The names are those of `fields:`, `maps:` and `scope:` in `datong.yaml`, of plans and of the journal. In a name, `*`
stands for the code of one of your companies (`company.asia.terms`) or for the key of an item (`addresses.main.city`).
Fields that your company added itself are called `custom.NAME`: [settings.md](settings.md#custom).

| Type | Is kept as |
|---|---|
| text | text without space at either end |
| number | plain decimal text, exact |
| money | amount and currency: `50000 CNY` |
| truth | true or false |
| date | `2026-11-21` |
| time | ISO 8601 in UTC |
| choice | one of the words listed |
| reference | another record of ours: its kind and number. Each system keeps its own id or code for it |

*Personal* marks what may be personal data (个人信息). It is a mark for people: no command hides or erases by it yet.
*Cost* marks what says what something costs us, or what we earn: shown to people with the role `cost` only.
"""


def reference() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for kind in KINDS for line in _kind(kind))])


def _kind(kind: str) -> Iterator[str]:
    model = KINDS[kind]
    en, zh = model.labels
    yield f"## {kind}\n"
    yield f"{en} {zh}. {' '.join((getdoc(model) or '').split())}\n"
    yield "| Field | English | 中文 | Type | Example | Marks |"
    yield "|---|---|---|---|---|---|"
    yield from (_row(one) for one in catalogue(kind).values())
    yield ""


def _row(one: FieldSpec) -> str:
    told = f"reference to {one.to}" if one.to else f"choice: {', '.join(one.choices)}" if one.choices else one.type
    example = f"`{one.example}`" if one.example else ""
    unit = f" ({one.unit})" if one.unit else ""
    marks = ", ".join(mark for mark, on in (("personal", one.personal), ("cost", one.cost)) if on)
    return f"| `{one.name}` | {one.en} | {one.zh} | {told}{unit} | {example} | {marks} |"


def main() -> int:
    told = reference()
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf8") == told else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(told, encoding="utf8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
