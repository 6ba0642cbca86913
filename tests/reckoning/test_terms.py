"""Payment terms: what people say, when it is due, how much of it, and that it can be said again."""

from datetime import date as Day
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.base.money import Money, minor_units
from datong.reckoning import (
    CannotReckon,
    EarlyDiscount,
    Habits,
    Share,
    Terms,
    due_dates,
    early_discount,
    parse,
    planned,
    split,
    spoken,
)
from datong.reckoning.terms import Event

D = Decimal


def one(event: Event, days: int = 0, months: int = 0, month_end: bool = False, percent: str = "100") -> Share:
    return Share(D(percent), event, days, months, month_end)


def before(percent: str, event: Event = "shipment") -> Share:
    return Share(D(percent), event, before_shipment=True)


def kept(percent: str, months: int = 12) -> Share:
    return Share(D(percent), "acceptance", months=months, retention=True)


DEPOSIT = before("30", "signed")

SAID: list[tuple[str, tuple[Share, ...]]] = [
    ("月结30天", (one("invoice", 30, month_end=True),)),
    ("月结６０天", (one("invoice", 60, month_end=True),)),
    ("月结30", (one("invoice", 30, month_end=True),)),
    ("月结三十天", (one("invoice", 30, month_end=True),)),
    ("月结一百二十天", (one("invoice", 120, month_end=True),)),
    ("发货月结30天", (one("shipment", 30, month_end=True),)),
    ("次月结30天", (one("invoice", 30, month_end=True),)),
    ("当月结30天", (one("invoice", 30),)),
    ("月结", (one("invoice", month_end=True),)),
    ("付款方式：月结30天。", (one("invoice", 30, month_end=True),)),
    ("Payment: net 30", (one("invoice", 30),)),
    ("次月15日付款", (one("invoice", 15, month_end=True),)),
    ("次月底付清", (one("invoice", months=1, month_end=True),)),
    ("账期60天", (one("invoice", 60),)),
    ("开票后45天内付款", (one("invoice", 45),)),
    ("票到30天", (one("invoice", 30),)),
    ("见票即付", (one("invoice"),)),
    ("款到发货", (before("100"),)),
    ("带款提货", (before("100"),)),
    ("100% 预付", (before("100", "signed"),)),
    ("货到付款", (one("delivery"),)),
    ("货到30天", (one("delivery", 30),)),
    ("收货后两周付款", (one("delivery", 14),)),
    ("验收后半年", (one("acceptance", months=6),)),
    ("预付30%，余款发货前付清", (DEPOSIT, before("70"))),
    ("预付30%，货到30天付70%", (DEPOSIT, one("delivery", 30, percent="70"))),
    ("百分之三十预付；余款验收后付", (DEPOSIT, one("acceptance", percent="70"))),
    ("三成定金，七成提货前", (DEPOSIT, before("70"))),
    ("30/70", (DEPOSIT, before("70"))),
    ("30/60/10 %", (DEPOSIT, before("60"), one("acceptance", percent="10"))),
    ("30%/60%/10%", (DEPOSIT, before("60"), one("acceptance", percent="10"))),
    ("3:6:1", (DEPOSIT, before("60"), one("acceptance", percent="10"))),
    ("3331付款方式", (DEPOSIT, before("30"), one("acceptance", percent="30"), kept("10"))),
    ("分期 361", (DEPOSIT, before("60"), one("acceptance", percent="10"))),
    ("验收后1年6个月", (one("acceptance", months=18),)),
    ("30/60/10 预付/到货/验收后30天", (DEPOSIT, one("delivery", percent="60"), one("acceptance", 30, percent="10"))),
    ("货到30天付95%，质保金 5% 12个月", (one("delivery", 30, percent="95"), kept("5"))),
    ("签约后7天付30%、发货前付60%、质保期2年满后付10%", (one("signed", 7, percent="30"), before("60"), kept("10", 24))),
    ("货到付90%，质保金10%，质保期12个月", (one("delivery", percent="90"), kept("10"))),
    ("验收合格后30日内支付90%，10%质保金一年后支付", (one("acceptance", 30, percent="90"), kept("10"))),
    ("net 30", (one("invoice", 30),)),
    ("Net 30 days", (one("invoice", 30),)),
    ("n/30", (one("invoice", 30),)),
    ("net 30 EOM", (one("invoice", 30, month_end=True),)),
    ("EOM", (one("invoice", month_end=True),)),
    ("EOM+30", (one("invoice", 30, month_end=True),)),
    ("30 days after end of month", (one("invoice", 30, month_end=True),)),
    ("cash in advance", (before("100", "signed"),)),
    ("CIA", (before("100", "signed"),)),
    ("payment before shipment", (before("100"),)),
    ("COD", (one("delivery"),)),
    ("due on receipt", (one("invoice"),)),
    ("30% deposit, 70% before shipment", (DEPOSIT, before("70"))),
    ("30% deposit and balance 30 days after invoice date", (DEPOSIT, one("invoice", 30, percent="70"))),
    ("90% 30 days after delivery, 10% retention 12 months", (one("delivery", 30, percent="90"), kept("10"))),
]


@pytest.mark.parametrize(("text", "shares"), SAID, ids=[text for text, _ in SAID])
def test_what_people_say(text: str, shares: tuple[Share, ...]) -> None:
    terms = parse(text)
    assert terms == Terms(shares)
    assert parse(spoken(terms, "zh")) == parse(spoken(terms, "en")) == terms


@pytest.mark.parametrize("text", ["2/10 net 30", "2/10, n/30", "2% / 10 net 30", "10天内付款优惠2%，开票后30天"])
def test_less_for_who_pays_early(text: str) -> None:
    terms = parse(text)
    assert terms == Terms((one("invoice", 30),), EarlyDiscount(D(2), 10))
    assert early_discount(terms, Money(D("99.99"), "CNY"), Day(2026, 12, 25)) == (
        Money(D("2.00"), "CNY"),
        Day(2027, 1, 4),
    )
    assert early_discount(parse("net 30"), Money(D(1), "CNY"), Day(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("text", "code", "quoted"),
    [
        ("", "TERMS_NOT_UNDERSTOOD", "nothing is said"),
        ("预付30%", "TERMS_INCOMPLETE", "70 % is not said"),
        ("质保金5% 12个月", "TERMS_INCOMPLETE", "95 % is not said"),
        ("预付30%，发货前，验收后", "TERMS_INCOMPLETE", "more than one share"),
        ("30/60/20", "TERMS_TOO_MUCH", "110 %"),
        ("预付30%，发货前80%", "TERMS_TOO_MUCH", "110 %"),
        ("预付100%，余款验收后", "TERMS_TOO_MUCH", "100 %"),
        ("预付30%，70%", "TERMS_NOT_UNDERSTOOD", "when a share is due"),
        ("预付0%，货到付款", "TERMS_NOT_UNDERSTOOD", "a share of nothing"),
        ("L/C at sight", "TERMS_NOT_UNDERSTOOD", "l/c"),
        ("net thirty", "TERMS_NOT_UNDERSTOOD", "net"),
        ("10个工作日", "TERMS_NOT_UNDERSTOOD", "10个工作日"),
        ("验收前10天", "TERMS_NOT_UNDERSTOOD", "前10天"),
        ("发货前7天付款", "TERMS_NOT_UNDERSTOOD", "before shipment"),
        ("货到票到30天", "TERMS_NOT_UNDERSTOOD", "both delivery and invoice"),
        ("预付30%40%", "TERMS_NOT_UNDERSTOOD", "two percentages"),
        ("30天60天", "TERMS_NOT_UNDERSTOOD", "two numbers of days"),
        ("EOM -5 days", "TERMS_NOT_UNDERSTOOD", "-5"),
        ("3331", "TERMS_NOT_UNDERSTOOD", "3331"),
        ("每月15日付款", "TERMS_NOT_UNDERSTOOD", "每月15日付款"),
        ("次月31日付款", "TERMS_NOT_UNDERSTOOD", "day 31"),
        ("验收后付95%，质保金5%", "TERMS_NOT_UNDERSTOOD", "kept back"),
        ("20/20/20/20/20", "TERMS_NOT_UNDERSTOOD", "5 steps"),
        ("看情况", "TERMS_NOT_UNDERSTOOD", "看情况"),
    ],
)
def test_what_is_not_understood_is_quoted(text: str, code: str, quoted: str) -> None:
    with pytest.raises(CannotReckon) as raised:
        parse(text)
    problem = raised.value.problem
    assert problem.code == code and quoted in problem.en
    assert problem.zh and problem.remedy and problem.remedy_zh


def test_a_company_may_mean_something_else() -> None:
    day = Habits(monthly="day", basis="delivery", rest=before("1"))
    assert parse("月结30天", day).shares == (one("delivery", 30),)
    assert parse("月结", day).shares == (one("delivery", month_end=True),)
    assert parse("次月结30天", day).shares == (one("delivery", 30, month_end=True),)
    assert parse("预付30%", day).shares == (DEPOSIT, before("70"))
    two = Habits(ladders={2: (one("order"), one("acceptance", 10))})
    assert parse("40/60", two).shares == (one("order", percent="40"), one("acceptance", 10, percent="60"))


@pytest.mark.parametrize(
    ("text", "events", "due"),
    [
        ("月结30天", {"invoice": Day(2026, 1, 10)}, [Day(2026, 3, 2)]),
        ("月结30天", {"invoice": Day(2024, 1, 31)}, [Day(2024, 3, 1)]),
        ("月结60天", {"invoice": Day(2026, 5, 1)}, [Day(2026, 7, 30)]),
        ("net 30", {"invoice": Day(2024, 1, 31)}, [Day(2024, 3, 1)]),
        ("EOM", {"invoice": Day(2024, 2, 10)}, [Day(2024, 2, 29)]),
        ("EOM", {"invoice": Day(2026, 2, 28)}, [Day(2026, 2, 28)]),
        ("次月底", {"invoice": Day(2026, 1, 31)}, [Day(2026, 2, 28)]),
        ("次月15日付款", {"invoice": Day(2026, 12, 31)}, [Day(2027, 1, 15)]),
        ("验收后1个月", {"acceptance": Day(2024, 1, 31)}, [Day(2024, 2, 29)]),
        ("验收后12个月", {"acceptance": Day(2024, 2, 29)}, [Day(2025, 2, 28)]),
        ("货到30天", {"shipment": Day(2026, 1, 1)}, [None]),
        (
            "30/60/10",
            {"signed": Day(2026, 1, 5), "shipment": Day(2026, 3, 1)},
            [Day(2026, 1, 5), Day(2026, 3, 1), None],
        ),
        ("预付30%，下单后10天付70%", {"order": Day(2026, 1, 5)}, [Day(2026, 1, 5), Day(2026, 1, 15)]),
        ("预付30%，下单后10天付70%", {"signed": Day(2026, 1, 5)}, [Day(2026, 1, 5), Day(2026, 1, 15)]),
    ],
)
def test_when_it_is_due(text: str, events: dict[Event, Day], due: list[Day | None]) -> None:
    assert due_dates(parse(text), events) == due


@pytest.mark.parametrize(
    ("total", "currency", "parts"),
    [
        ("100.01", "CNY", ["30.00", "60.01", "10.00"]),
        ("0.01", "CNY", ["0.00", "0.01", "0.00"]),
        ("101", "JPY", ["30", "61", "10"]),
        ("0.101", "KWD", ["0.030", "0.061", "0.010"]),
        ("-100.01", "CNY", ["-30.00", "-60.01", "-10.00"]),
    ],
)
def test_parts_make_up_the_total(total: str, currency: str, parts: list[str]) -> None:
    assert [str(part) for part in split(parse("30/60/10"), D(total), currency)] == parts


def test_half_a_yen_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="cannot be paid in JPY"):
        split(parse("30/70"), D("100.5"), "JPY")


def test_three_tenths_in_three_parts() -> None:
    thirds = Terms((one("signed", percent="33.4"), one("shipment", percent="33.3"), one("invoice", percent="33.3")))
    assert split(thirds, D("0.3"), "CNY") == [D("0.1")] * 3


def test_planned_instalments_have_amount_and_day() -> None:
    told = planned(parse("预付30%，月结30天付70%"), D("1000"), "CNY", {"order": Day(2026, 11, 22)})
    assert [(str(one.amount), one.due, one.share.before_shipment) for one in told] == [
        ("300.00", Day(2026, 11, 22), True),
        ("700.00", None, False),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Terms(()),
        lambda: Terms((one("invoice", percent="99"),)),
        lambda: Terms((one("invoice", percent="120"), one("order", percent="-20"))),
        lambda: one("invoice", -1),
        lambda: Share(D(100), "shipment", days=3, before_shipment=True),
        lambda: Share(D(100), "acceptance", before_shipment=True),
        lambda: Share(D(100), "delivery", before_shipment=True),
    ],
)
def test_terms_that_cannot_be(wrong: object) -> None:
    with pytest.raises(ValueError):
        wrong()  # type: ignore[operator]


@st.composite
def shares(draw: st.DrawFn, percent: Decimal) -> Share:
    event: Event = draw(st.sampled_from(["signed", "order", "shipment", "delivery", "invoice", "acceptance"]))
    first = draw(st.booleans()) and event in ("signed", "order", "shipment", "invoice")
    if first and event == "shipment":
        return Share(percent, event, before_shipment=True)
    return Share(
        percent,
        event,
        draw(st.integers(0, 400)),
        draw(st.integers(0, 36)),
        draw(st.booleans()),
        before_shipment=first,
        retention=not first and draw(st.booleans()),
    )


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    cuts = sorted(draw(st.sets(st.integers(1, 9999), max_size=5)))
    edges = [0, *cuts, 10000]
    percents = [D(b - a) / 100 for a, b in pairwise(edges)]
    early = draw(st.none() | st.builds(EarlyDiscount, st.decimals("0.01", 20, places=2), st.integers(1, 60)))
    return Terms(tuple(draw(shares(percent)) for percent in percents), early)


HABITS = st.builds(
    Habits, basis=st.sampled_from(["invoice", "delivery", "shipment"]), monthly=st.sampled_from(["month_end", "day"])
)


@settings(max_examples=60)
@given(all_terms(), HABITS)
def test_whatever_is_told_is_read_as_the_same(terms: Terms, habits: Habits) -> None:
    for language in ("zh", "en"):
        again = parse(spoken(terms, language, habits), habits)
        assert again == terms


@given(all_terms(), st.integers(-(10**12), 10**12), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_parts_are_never_more_than_the_whole_and_near_their_share(terms: Terms, whole: int, currency: str) -> None:
    total = D(whole).scaleb(-minor_units(currency))
    parts = split(terms, total, currency)
    assert sum(parts, D(0)) == total
    assert all(abs(part) <= abs(total) and part * total >= 0 for part in parts)
    for part, one_share in zip(parts, terms.shares, strict=True):
        assert abs(part - total * one_share.percent / 100) < D(1).scaleb(-minor_units(currency))


@given(all_terms(), st.dates(Day(1990, 1, 1), Day(2100, 1, 1)))
def test_nothing_is_due_before_its_event_and_later_events_are_never_due_earlier(terms: Terms, start: Day) -> None:
    for share in terms.shares:
        assert share.due(start) >= start + timedelta(days=share.days)
        assert share.due(start) <= share.due(start + timedelta(days=1))


@given(st.text(alphabet="月结款到发货预付验收质保金天个月%/0123456789 ,，net EOM+days", max_size=30))
def test_any_text_is_read_or_refused_and_what_is_read_can_be_told(text: str) -> None:
    try:
        terms = parse(text)
    except CannotReckon:
        return
    assert parse(spoken(terms, "zh")) == parse(spoken(terms, "en")) == terms
