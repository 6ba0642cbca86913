"""The report of a reconciliation as a page of its own, in Chinese and English; it loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from datong.base.money import decimal, minor_units
from datong.canon.catalogue import FieldSpec, spec

Language = Literal["zh", "en"]
CLASSES: Mapping[str, tuple[str, str]] = {
    "money": ("金额不符", "money"),
    "conflict": ("冲突", "conflict"),
    "missing": ("缺失", "missing"),
    "duplicate": ("重复", "duplicate"),
    "orphan": ("孤立", "orphan"),
    "stale": ("过时", "stale"),
    "unreachable": ("无法比较", "unreachable"),
}
_AGES: Mapping[str, tuple[str, str]] = {
    "hour": ("1小时内", "within an hour"),
    "day": ("1天内", "within a day"),
    "week": ("1周内", "within a week"),
    "older": ("更早", "older"),
    "unknown": ("不详", "not to be told"),
}
_MEANINGS: Mapping[str, str] = {
    "money": "金额与商定不符",
    "conflict": "双方都改了同一字段",
    "missing": "该处没有这条记录",
    "duplicate": "同一对象在该处有第二条记录",
    "orphan": "在该处新建，另一方没有",
    "stale": "与商定值不一致",
    "unreachable": "未能读取",
}
_VERBS: Mapping[str, str] = {"create": "新建", "update": "修改", "delete": "删除"}
_LEFT_OUT: Mapping[str, tuple[str, str]] = {
    "gate": ("被准入规则拦下", "kept back by a gate"),
    "one side": ("按规则只在一方", "on one side by rule"),
    "scope": ("范围之外", "outside the scope"),
    "not in use": ("已合并或删除", "merged or gone"),
    "on no side": ("双方均无", "on no side"),
    "not read yet": ("尚未读取", "not read yet"),
    "unreachable": ("无法读取", "could not be read"),
}


def page(report: Mapping[str, Any], language: Language) -> str:
    """The page of a report; `language` is shown first. What comes from a system is text there, whatever it looks
    like. Raises ImportError without the extra `reports`."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup, escape

    def both(zh: str, en: str) -> Markup:
        return Markup('<span class="zh" lang="zh-CN">{}</span><span class="en" lang="en">{}</span>').format(zh, en)

    def value(told: Any) -> Markup | str:
        if told is None or told == "":
            return Markup("<i>∅</i>")
        if isinstance(told, bool):
            return both("是", "yes") if told else both("否", "no")
        return escape(", ".join(map(str, told)) if isinstance(told, list) else told)

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((Path(__file__).parent / "reconciliation.html").read_text(encoding="utf8"))
    return template.render(
        r=report,
        language=language,
        both=both,
        value=value,
        time=_time,
        money=_money,
        width=_width,
        label=lambda kind, name: both(*_label(kind, name)),
        classes={name: both(*told) for name, told in CLASSES.items()},
        ages=[(both(*told), report["ages"][name]) for name, told in _AGES.items() if report["ages"][name]],
        meanings=_MEANINGS,
        verbs=_VERBS,
        left_out={name: both(*told) for name, told in _LEFT_OUT.items()},
        drift=[one for one in report["differences"] if one["known"] is None],
        known=[one for one in report["differences"] if one["known"] is not None],
        share=_share(report["equal"], report["compared"]),
    )


def _time(text: str | None) -> str:
    """To the second, in UTC."""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S} UTC" if text else "–"


def _money(amount: str, currency: str) -> str:
    number = decimal(amount)
    places = max(minor_units(currency), -int(number.as_tuple().exponent))
    return f"{number:,.{places}f}"


def _share(part: int, whole: int) -> str:
    """Per cent; all of it only where nothing lacks."""
    return f"{(Decimal(part * 100) / whole).quantize(Decimal('0.01'), rounding='ROUND_DOWN'):f}" if whole else "–"


def _width(part: int, whole: int) -> str:
    """Of a bar, in per cent; what is there at all is seen."""
    return f"{max(Decimal(part * 100) / whole, Decimal(1)):.1f}" if whole and part else "0"


def _known(kind: str, name: str) -> FieldSpec | None:
    try:
        return spec(kind, name)
    except KeyError:
        return None


def _label(kind: str, name: str) -> tuple[str, str]:
    """A field by the names people know, with the company or item it is of."""
    told = next((one for n in (name, f"company.*.{name}") if (one := _known(kind, n)) is not None), None)
    if told is None:
        return name, name
    of = name.split(".")[1] if name.count(".") > 1 and not name.startswith("custom.") else ""
    return (f"{told.zh} {of}".strip() or name, f"{told.en} {of}".strip() or name)
