"""The words of payment terms, Chinese and English, and what each adds to the share that is being read.

The table is tried from the top at every place of a clause, so what is particular stands before what it begins with. A
word that is in neither the table nor among those without meaning of their own is `Unclear`: nothing is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from datong.reckoning.terms import Event, Share

_DEPOSIT = Share(Decimal(1), "signed", before_shipment=True)
_READY = Share(Decimal(1), "shipment", before_shipment=True)
_ACCEPTED = Share(Decimal(1), "acceptance")
_KEPT = Share(Decimal(1), "acceptance", months=12, retention=True)


@dataclass(frozen=True)
class Habits:
    """What a company means where words leave it open. `basis` is what days count from if nothing is said; `ladders`
    gives for 30/70, 30/60/10 and so on what each step is (its percent is put in); `rest` takes what is left unsaid."""

    basis: Event = "invoice"
    monthly: Literal["month_end", "day"] = "month_end"
    ladders: Mapping[int, tuple[Share, ...]] = field(
        default_factory=lambda: {
            2: (_DEPOSIT, _READY),
            3: (_DEPOSIT, _READY, _ACCEPTED),
            4: (_DEPOSIT, _READY, _ACCEPTED, _KEPT),
        }
    )
    rest: Share | None = None


USUAL = Habits()


@dataclass
class Draft:
    """A clause while it is read. `usual` is the event that a word brings along where none is named."""

    percent: Decimal | None = None
    event: Event | None = None
    usual: Event | None = None
    days: int | None = None
    months: int | None = None
    end_of_month: bool = False
    before: bool = False
    retention: bool = False

    @property
    def delayed(self) -> bool:
        return self.days is not None or self.months is not None or self.end_of_month


_Action = Callable[[Draft, re.Match[str], Habits], None]


class Unclear(Exception):
    """What was said is not understood, or contradicts itself: in English and in Chinese."""


_NUMBER = r"(\d+|[零〇一二两三四五六七八九十百]+)"
_DECIMAL = r"\d+(?:\.\d+)?"


def _count(text: str) -> int:
    """30 of 30, 三十 or 一百二十."""
    if text.isdecimal():
        return int(text)
    total = last = 0
    for char in text:
        if char in "十百":
            total += (last or 1) * (10 if char == "十" else 100)
            last = 0
        else:
            last = 2 if char == "两" else "零一二三四五六七八九".find(char) if char != "〇" else 0
    return total + last


def _said(**values: object) -> _Action:
    def act(draft: Draft, found: re.Match[str], habits: Habits) -> None:
        for name, value in values.items():
            setattr(draft, name, value)

    return act


def _event(event: Event) -> _Action:
    def act(draft: Draft, found: re.Match[str], habits: Habits) -> None:
        if draft.event not in (None, event):
            raise Unclear(f"both {draft.event} and {event} in one share", "同一期中有两个起算事件")
        draft.event = event

    return act


def _percent(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    _percent_of(draft, Decimal(found[1]))


def _hundredths(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    _percent_of(draft, Decimal(_count(found[1])))


def _tenths(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    _percent_of(draft, Decimal(10 * _count(found[1])))


def _percent_of(draft: Draft, percent: Decimal) -> None:
    if draft.percent is not None:
        raise Unclear("two percentages in one share", "同一期中有两个比例")
    draft.percent = percent


def _days(times: int) -> _Action:
    def act(draft: Draft, found: re.Match[str], habits: Habits) -> None:
        _days_of(draft, times * _count(found[1]))

    return act


def _days_of(draft: Draft, days: int) -> None:
    if draft.days is not None:
        raise Unclear("two numbers of days in one share", "同一期中有两个天数")
    draft.days = days


def _months_of(draft: Draft, months: int) -> None:
    draft.months = (draft.months or 0) + months


def _months(times: int) -> _Action:
    def act(draft: Draft, found: re.Match[str], habits: Habits) -> None:
        _months_of(draft, times * _count(found[1]))

    return act


def _monthly(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    """月结, with or without a bare number of days; without any it is the end of the month."""
    bare = found[1]
    draft.end_of_month = habits.monthly == "month_end" or not (bare or _DAYS_FOLLOW.match(found.string, found.end()))
    if bare:
        _days_of(draft, _count(bare))


def _month_end(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    draft.end_of_month = True
    if found.lastindex:
        _days_of(draft, _count(found[1]))


def _next_month_day(draft: Draft, found: re.Match[str], habits: Habits) -> None:
    day = _count(found[1])
    if not 0 < day <= 28:
        raise Unclear(
            f"not every month has a day {day}; say 次月底 for its end", f"并非每月都有 {day} 日，月末请写“次月底”"
        )
    draft.end_of_month = True
    _days_of(draft, day)


def _table(*rows: tuple[str, _Action]) -> list[tuple[re.Pattern[str], _Action]]:
    return [(re.compile(pattern), action) for pattern, action in rows]


_B, _E = r"(?<![a-z])", r"(?![a-z])"  # where an English word begins and ends, also beside Chinese
_NOT_MORE = r"(?!\s*[\d零〇一二两三四五六七八九十百天日个周年成%])"
_DAYS_FOLLOW = re.compile(rf"\s*{_NUMBER}\s*[天日]")
_PREPAID = _said(usual="signed", before=True)
_UNSENT = _said(usual="shipment", before=True)

_WORDS = _table(
    (rf"({_DECIMAL})\s*%", _percent),
    (rf"百分之{_NUMBER}", _hundredths),
    (rf"{_NUMBER}成", _tenths),
    (rf"次月{_NUMBER}[日号]", _next_month_day),
    (r"次月[底末]|次月(?=付)", _said(end_of_month=True, months=1)),
    (rf"次月结\s*(?:{_NUMBER}{_NOT_MORE})?", _month_end),
    (rf"当月结(?={_DAYS_FOLLOW.pattern})", _said()),
    (rf"[当每]?月结\s*(?:{_NUMBER}{_NOT_MORE})?", _monthly),
    (rf"{_B}eom\s*\+?\s*(\d+)(?!\s*(?:days?|d|months?|%|\d)){_E}", _month_end),
    (rf"{_NUMBER}(?=\s*eom{_E})", _days(1)),
    (rf"{_B}eom{_E}|[当本]?月[底末]|{_B}(?:end\s+of\s+(?:the\s+)?month|month[\s-]?end){_E}", _month_end),
    (rf"{_B}n(?:et)?[\s/]*(\d+)(?!\d)(?:\s*(?:天|d(?:ays?)?{_E}))?", _days(1)),
    (r"半个月", lambda draft, found, habits: _days_of(draft, 15)),
    (r"半年", lambda draft, found, habits: _months_of(draft, 6)),
    (rf"{_NUMBER}\s*(?:个月|months?{_E})", _months(1)),
    (rf"{_NUMBER}\s*(?:年|years?{_E})", _months(12)),
    (rf"{_NUMBER}\s*(?:周|个星期|weeks?{_E})", _days(7)),
    (rf"{_NUMBER}\s*(?:个?(?:自然|日历)?[天日]|(?:calendar\s*)?days?{_E}|d{_E})", _days(1)),
    (r"款到即?发货|[带先]款[提后]货|(?:发货|出货|提货|装运|交货)前|发货款|提货款", _UNSENT),
    (rf"{_B}(?:payment\s+)?(?:before|prior\s+to)\s+(?:shipment|shipping|delivery|dispatch){_E}", _UNSENT),
    (r"预付款?|预收款?|定金|订金|首付款?|头款", _PREPAID),
    (rf"{_B}(?:(?:cash|payment)\s+in\s+advance|in\s+advance|cia|prepa(?:id|yment|y)){_E}", _PREPAID),
    (rf"{_B}(?:advance(?:\s+payment)?|down\s*payment|deposit){_E}", _PREPAID),
    (r"质保金|质量保证金|质保期?|保修金|保修期?", _said(usual="acceptance", retention=True)),
    (rf"{_B}(?:retention(?:\s+money)?|warranty|guarantee){_E}", _said(usual="acceptance", retention=True)),
    (r"合同(?:签[订定署]|生效)后?|签[订定署]合同|签约|签合同", _event("signed")),
    (rf"{_B}(?:contract\s+(?:signing|signature|signed)|signing|signature){_E}", _event("signed")),
    (r"下订?单|订单(?:确认)?", _event("order")),
    (rf"{_B}order(?:ing|ed)?(?:\s+confirmation)?{_E}", _event("order")),
    (rf"货到付款|现款现货|现结|{_B}(?:cod|cash\s+on\s+delivery){_E}", _event("delivery")),
    (r"货到|到货款?|收到?货|交货|送达|签收", _event("delivery")),
    (rf"{_B}(?:receipt\s+of\s+goods|delivery|delivered|arrival){_E}", _event("delivery")),
    (r"发货|出货|装运|提货", _event("shipment")),
    (rf"{_B}(?:shipment|shipping|shipped|dispatch){_E}", _event("shipment")),
    (
        rf"票到|见票|收到?发?票|开具?发?票|发票|{_B}(?:due\s+(?:up)?on\s+receipt|immediate(?:ly)?){_E}",
        _event("invoice"),
    ),
    (rf"{_B}(?:receipt\s+of\s+invoice|invoice[ds]?|invoicing)(?:\s+date)?{_E}", _event("invoice")),
    (r"[终初]?验收款?(?:合格|通过)?", _event("acceptance")),
    (rf"{_B}(?:acceptance|accepted){_E}", _event("acceptance")),
)
FILLER = re.compile(
    r"[\s()\[\]+:]|付款条件|结算方式|[.\-](?!\s*\d)|支付|付清|结清|付款方式|付款|余款|尾款|剩余款?项?|其余|全款|全额|货款|账期|之日起|起算|以内|日期|合同|总额|总价|金额"
    r"|[付收款之内后起时的为即期满余日]"
    rf"|{_B}(?:of|after|from|within|upon|on|the|at|by|due|payment|payable|paid|pay|balance|remainder|remaining|rest|full"
    rf"|cash|terms?|date|contract|goods|total|price|value|in|is|money){_E}"
)


_UNKNOWN = re.compile(r"[a-z][a-z/]*|\d[\d.]*\S*|\S+")


def read(clause: str, habits: Habits) -> Draft:
    """One clause in small letters, word by word. Raises Unclear for the first that means nothing."""
    draft, at = Draft(), 0
    while at < len(clause):
        at = _step(draft, clause, at, habits)
    return draft


def _step(draft: Draft, clause: str, at: int, habits: Habits) -> int:
    for pattern, action in _WORDS:
        if found := pattern.match(clause, at):
            action(draft, found, habits)
            return found.end()
    if found := FILLER.match(clause, at):
        return found.end()
    unknown = _UNKNOWN.match(clause, at)
    quoted = unknown[0] if unknown else clause[at:]
    raise Unclear(f"{quoted!r} was not understood", f"“{quoted}”无法理解")
