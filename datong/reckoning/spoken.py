"""Payment terms as people say them, in Chinese and English, read into `Terms` and told again.

    月结30天 · 款到发货 · 货到30天 · 预付30%，余款发货前付清 · 30/60/10 % · 3331付款 · 质保金5% 12个月
    net 30 · 2/10 net 30 · EOM+30 · cash in advance · 30% deposit, balance 30 days after delivery

What was decided where people mean different things (a company may decide otherwise by `Habits`):

- 月结30天, net 30 EOM: 30 days from the end of the month of the invoice, so an invoice of January 10th is due on March
  2nd (of a common year). Some firms mean 30 days from the invoice itself (`monthly="day"`; 当月结30天 says so
  expressly, 次月结30天 the opposite). 月结60天 is 60 days from the end of that month, not the month after the next.
- Days without an event (net 30, 账期30天) count from the invoice.
- 预付, deposit, cash in advance: due when the contract is signed (or the order placed), and nothing is sent before.
- 30/70: deposit, rest before shipment. 30/60/10: deposit, before shipment, on acceptance. 30/30/30/10 (3331付款): the
  last is kept back for twelve months after acceptance.
- 预付30% alone leaves 70 % unsaid: that is an error, unless the habits have a `rest`.

Whatever is not understood is an error that quotes it. Only words that carry no meaning of their own are skipped (付款,
after).
The two meanings of 月结 stand in what vendors and traders publish: s1u.com.cn/help/help_175.htm (2020-07-08: from the
day, 次月结 from the month's end) and hanhuihui.com (2024-09: from the month's end); both read 2026-11-22.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NoReturn

from datong.base.money import plain
from datong.reckoning.exact import exact, summed
from datong.reckoning.problem import CannotReckon, Problem
from datong.reckoning.terms import EarlyDiscount, Event, Share, Terms
from datong.reckoning.words import FILLER, USUAL, Draft, Habits, Unclear, read


def parse(text: str, habits: Habits = USUAL) -> Terms:
    """The terms that `text` says. Raises CannotReckon with one of the codes TERMS_NOT_UNDERSTOOD (quotes what),
    TERMS_INCOMPLETE and TERMS_TOO_MUCH (the shares do not make up 100 %)."""
    plainly = unicodedata.normalize("NFKC", text).lower().strip()
    without, early = _early(plainly)
    steps = _ladder(text, without, habits)
    if steps is None:
        drafts = _joined([_read(text, one, habits) for one in _BETWEEN.split(without) if one.strip(" .")])
        steps = [(draft.percent, _finished(text, draft, habits)) for draft in drafts]
    if not steps:
        _fail("TERMS_NOT_UNDERSTOOD", text, "nothing is said", "没有内容")
    return Terms(tuple(_completed(text, steps, habits)), early)


_BETWEEN = re.compile(r"[,;、。\n]|(?<![a-z])(?:and|then)(?![a-z])")


def _fail(code: str, text: str, en: str, zh: str) -> NoReturn:
    raise CannotReckon(
        Problem(
            code,
            f"payment terms {text.strip()!r}: {en}",
            f"付款条件“{text.strip()}”：{zh}",
            "say per cent, event and days of each share, such as 30% on order, 70% 30 days after invoice",
            "请写明每一期的比例、起算事件和天数，例如：预付30%，开票后30天付70%",
        )
    )


_EARLY = (
    re.compile(r"(?P<p>\d+(?:\.\d+)?)\s*%?\s*/\s*(?P<d>\d+)\s*(?:days?)?\s*,?\s*(?=n(?:et)?[ /]*\d)"),
    re.compile(r"(?P<p>\d+(?:\.\d+)?)\s*%\s*(?:early\s*)?discount\s*(?:if\s*paid\s*)?within\s*(?P<d>\d+)\s*days?"),
    re.compile(
        r"(?P<d>\d+)\s*[天日]内付[款清](?:可?享受?|给予)?(?:优惠|折扣|减免?)?\s*(?P<p>\d+(?:\.\d+)?)\s*%(?:优惠|折扣)?"
    ),
)


def _early(text: str) -> tuple[str, EarlyDiscount | None]:
    """The text without what is given for paying early, and that."""
    for pattern in _EARLY:
        if found := pattern.search(text):
            return text[: found.start()] + text[found.end() :], EarlyDiscount(Decimal(found["p"]), int(found["d"]))
    return text, None


_STEPS = re.compile(r"((?:\d+(?:\.\d+)?\s*%?\s*[/:]\s*)+\d+(?:\.\d+)?)\s*%?\s*(.*)")
_DIGITS = re.compile(r"(?:付款(?:方式)?|分期)\s*([1-9]{3,4})|([1-9]{3,4})\s*(?:付款(?:方式)?|分期)")


def _ladder(text: str, plainly: str, habits: Habits) -> list[tuple[Decimal | None, Share]] | None:
    """Bare steps, as in 30/60/10 %, 3:6:1 or 3331付款 (mere digits may be anything); None if the text says more than
    that. After them there may be as many words: 30/60/10 预付/发货前/验收."""
    if found := _STEPS.fullmatch(plainly):
        percents = [Decimal(one.strip(" %")) for one in re.split("[/:]", found[1])]
        words = found[2].strip()
    elif found := _DIGITS.fullmatch(plainly):
        percents, words = [Decimal(one) for one in found[1] or found[2]], ""
    else:
        return None
    if summed(percents) == 10:
        percents = [10 * one for one in percents]
    named = words.split("/")
    if len(named) == len(percents) and len(named) > 1:
        read = [_read(text, word, habits) for word in named]
        return [(part, _finished(text, draft, habits)) for part, draft in zip(percents, read, strict=True)]
    if re.sub(FILLER, "", words):
        return None
    steps = habits.ladders.get(len(percents))
    if steps is None:
        _fail("TERMS_NOT_UNDERSTOOD", text, f"{len(percents)} steps without a word", f"{len(percents)} 期未说明含义")
    return list(zip(percents, steps, strict=True))


def _read(text: str, clause: str, habits: Habits) -> Draft:
    try:
        return read(clause, habits)
    except Unclear as unclear:
        _fail("TERMS_NOT_UNDERSTOOD", text, *unclear.args)


def _joined(drafts: list[Draft]) -> list[Draft]:
    """质保金10%，质保期12个月 is one share: how much is kept back, and for how long."""
    joined: list[Draft] = []
    for draft in drafts:
        before = joined[-1] if joined else None
        if before and before.retention and draft.retention and draft.percent is None and not before.delayed:
            before.event, before.days, before.months = before.event or draft.event, draft.days, draft.months
            before.end_of_month = draft.end_of_month
        else:
            joined.append(draft)
    return joined


def _finished(text: str, draft: Draft, habits: Habits) -> Share:
    """The share that a clause is; its percent is filled in when all are read."""
    event = draft.event or draft.usual or (habits.basis if draft.delayed else None)
    if event is None:
        _fail("TERMS_NOT_UNDERSTOOD", text, "it is not said when a share is due", "有一期未说明何时付款")
    if draft.retention and not draft.delayed:
        _fail("TERMS_NOT_UNDERSTOOD", text, "it is not said how long money is kept back", "未说明质保期多长")
    try:
        return Share(
            Decimal(1), event, draft.days or 0, draft.months or 0, draft.end_of_month, draft.before, draft.retention
        )
    except ValueError:
        _fail(
            "TERMS_NOT_UNDERSTOOD",
            text,
            "what is due before shipment cannot wait for something after it",
            "发货前应付的款项不能晚于发货",
        )


def _completed(text: str, steps: list[tuple[Decimal | None, Share]], habits: Habits) -> list[Share]:
    """With their percentages: one share may leave its own unsaid, it is the rest."""
    told = summed(percent for percent, _ in steps if percent is not None)
    silent = [share for percent, share in steps if percent is None]
    left = exact(100 - Fraction(told))
    if left < 0 or (silent and not left):
        _fail(
            "TERMS_TOO_MUCH",
            text,
            f"the shares make up {plain(told)} %, not 100 %",
            f"各期合计 {plain(told)} %，超过 100 %",
        )
    if len(silent) > 1:
        _fail("TERMS_INCOMPLETE", text, "more than one share has no per cent", "不止一期未写比例")
    shares = [replace(share, percent=left if percent is None else percent) for percent, share in steps]
    if left and not silent:
        if habits.rest is None:
            _fail("TERMS_INCOMPLETE", text, f"{plain(left)} % is not said", f"还有 {plain(left)} % 未说明何时付")
        shares.append(replace(habits.rest, percent=left))
    if any(share.percent <= 0 for share in shares):
        _fail("TERMS_NOT_UNDERSTOOD", text, "a share of nothing", "有一期比例为零")
    return shares


_EVENTS: Mapping[Event, tuple[str, str]] = {
    "signed": ("contract signing", "签约"),
    "order": ("order", "下单"),
    "shipment": ("shipment", "发货"),
    "delivery": ("delivery", "到货"),
    "invoice": ("invoice", "开票"),
    "acceptance": ("acceptance", "验收"),
}


def spoken(terms: Terms, language: Literal["en", "zh"], habits: Habits = USUAL) -> str:
    """The terms in words that `parse` reads as the same, by the same habits."""
    tell = _in_english if language == "en" else _in_chinese
    told = [tell(one, habits) for one in terms.shares]
    if terms.early is not None and language == "en":
        told.append(f"{plain(terms.early.percent)}% discount within {terms.early.days} days")
    elif terms.early is not None:
        told.append(f"{terms.early.days}天内付款优惠{plain(terms.early.percent)}%")
    return ("; " if language == "en" else "；").join(told)


def _in_english(share: Share, habits: Habits) -> str:
    words = [] if share.percent == 100 else [f"{plain(share.percent)}%"]
    if share.before_shipment and share.event == "shipment":
        return " ".join([*words, "payment before shipment"])
    kept_back = share.retention and not (share.months or share.end_of_month)
    if share.months:
        words.append(f"{share.months} month{'s' * (share.months > 1)}")
    if share.end_of_month:
        words.append(f"EOM+{share.days}" if share.days else "EOM")
    elif share.days or kept_back:
        words.append(f"{share.days} days")
    delayed = share.months or share.end_of_month or share.days or kept_back
    words += ["after" if delayed else "on", _EVENTS[share.event][0]]
    words += ["(in advance)"] * share.before_shipment + ["(retention)"] * share.retention
    return " ".join(words)


def _in_chinese(share: Share, habits: Habits) -> str:
    part = "" if share.percent == 100 else f"{plain(share.percent)}%"
    if share.before_shipment and share.event == "shipment":
        return f"发货前付{part}" if part else "款到发货"
    by_month = share.end_of_month and not share.months and habits.monthly == "month_end"
    implied = by_month and share.event == habits.basis and not (share.before_shipment or share.retention)
    event = "" if implied else _EVENTS[share.event][1]
    when = f"{event}月结" if by_month else f"{event}后"
    if share.months:
        when += f"{share.months}个月"
    if share.end_of_month and not by_month:
        when += "月底"
    if share.days or (share.retention and not (share.months or share.end_of_month)):
        when += f"{share.days}天"
    if not (share.months or share.end_of_month or share.days or share.retention):
        when = event
    pay = "预付" if share.before_shipment else "付" if part else "付款" if when == event else ""
    return when + pay + part + "(质保金)" * share.retention
