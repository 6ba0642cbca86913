"""Demand: what is split adds up, what is one deal counts once."""

from __future__ import annotations

from datetime import date as Day
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datong.canon import DemandSignal, Line, Opportunity, Quote, QuoteLine
from datong.insight.demand import Around, By, DemandRules, Signal, grouped, months_of, signals_of, spread

RULES, AROUND = DemandRules(pipeline=Decimal(10), lost=Decimal(5)), Around()
MONEY = st.integers(-99_999, 99_999).map(lambda n: Decimal(n).scaleb(-2))
PIECES = st.integers(0, 999).map(lambda n: Decimal(n).scaleb(-1))
PRODUCTS = st.sampled_from([None, "product:1", "product:2"])
DAYS = st.sampled_from([None, Day(2026, 11, 30), Day(2026, 12, 1), Day(2028, 2, 29)])
CURRENCIES = st.sampled_from(["CNY", "JPY"])
DEALS = tuple(f"opportunity:{n}" for n in range(1, 5))


def lines(kind: type[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    one = st.builds(
        kind.model_construct,
        product=PRODUCTS,
        quantity=PIECES,
        total=st.none() | MONEY,
        price=st.none() | MONEY,
        **more,
    )
    return st.dictionaries(st.sampled_from("abc"), one, max_size=2)


OPPORTUNITIES = st.dictionaries(
    st.sampled_from(DEALS),
    st.builds(
        Opportunity.model_construct,
        stage=st.sampled_from(["open", "won", "lost"]),
        amount=st.none() | MONEY,
        probability=st.none() | st.integers(0, 100).map(Decimal),
        closing=DAYS,
        currency=CURRENCIES,
        lost_reason=st.sampled_from([None, "价格偏高", "交期太长"]),
        competitor=st.sampled_from([None, "长江机电"]),
        lines=lines(Line),
    ),
)
QUOTES = st.dictionaries(
    st.integers(1, 6).map(lambda n: f"quote:{n}"),
    st.builds(
        Quote.model_construct,
        state=st.sampled_from(["draft", "sent", "accepted", "part_accepted", "rejected", "expired", "cancelled"]),
        opportunity=st.sampled_from([None, *DEALS]),
        company=st.sampled_from(["asia", "europe"]),
        total=st.none() | MONEY,
        date=DAYS,
        currency=CURRENCIES,
        lines=lines(QuoteLine, accepted=st.none() | PIECES),
    ),
)
SIGNALS = st.tuples(OPPORTUNITIES, QUOTES, st.sets(st.sampled_from([*DEALS, "quote:1", "quote:2"]))).map(
    lambda told: (*told, signals_of(*told, RULES, AROUND))
)


def of(signals: list[Signal], origin: str) -> list[Signal]:
    return [one for one in signals if one.origin == origin]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves as much
@given(SIGNALS)
def test_a_deal_counts_once_by_its_order_its_quote_or_its_lines(told: Any) -> None:
    deals, quotes, ordered, signals = told
    origins = {one.origin for one in signals}
    for key, quote in quotes.items():
        deal = deals.get(quote.opportunity)
        if key in origins and deal is not None:
            assert quote.opportunity not in origins
            assert deal.stage != "lost"
            rivals = [k for k, q in quotes.items() if (q.opportunity, q.company) == (quote.opportunity, quote.company)]
            assert origins & set(rivals) == {key}
    assert not origins & {key for key in ordered if getattr(deals.get(key), "stage", "") != "lost"} - {
        key for key, quote in quotes.items() if quote.state == "rejected"
    }


@settings(max_examples=40)
@given(SIGNALS)
def test_what_a_deal_counts_for_is_its_amount_and_all_its_pieces(told: Any) -> None:
    deals, quotes, _, signals = told
    for key in {one.origin for one in signals}:
        document = deals.get(key) or quotes[key]
        amount = document.amount if key in deals else document.total
        partly = getattr(document, "state", None) == "part_accepted"
        partly = partly or any(getattr(line, "accepted", None) is not None for line in document.lines.values())
        if amount is not None and not partly:
            assert sum(one.amount for one in of(signals, key)) == amount
            pieces = sum(line.quantity for line in document.lines.values())
            assert sum(one.quantity for one in of(signals, key)) == pieces


@settings(max_examples=30)
@given(SIGNALS, st.sampled_from(get_args(By)))
def test_groups_hold_every_signal_once(told: Any, by: By) -> None:
    signals = [one for one in told[3] if by != "competitor" or one.source == "lost"]
    groups = grouped(signals, by)
    assert sum(one.signals for one in groups) == len(signals)
    for name in ("quantity", "likely_quantity", "amount", "likely_amount"):
        assert sum(getattr(one, name) for one in groups) == sum(getattr(one, name) for one in signals)
    places = [(one.key, one.month, one.source, one.unit, one.currency) for one in groups]
    assert places == sorted(set(places))


MONTHS = st.tuples(st.integers(2020, 2029), st.integers(1, 12))


@given(MONTHS, st.integers(0, 119), st.decimals(-1000, 1000, places=3), MONEY, CURRENCIES)
def test_what_is_spread_over_months_adds_up(
    start: tuple[int, int], more: int, quantity: Decimal, amount: Decimal, currency: str
) -> None:
    last = start[0] * 12 + start[1] - 1 + more
    period = f"{start[0]}-{start[1]:02}..{last // 12}-{last % 12 + 1:02}"
    told = DemandSignal.model_construct(
        source="trend", period=period, quantity=quantity, amount=amount, currency=currency, product="product:1"
    )
    signals = spread("demand_signal:1", told, RULES, AROUND)
    assert len({one.month for one in signals}) == len(signals) == more + 1
    assert sum(one.quantity for one in signals) == quantity
    assert sum(one.amount for one in signals) == amount
    assert max(one.quantity for one in signals) - min(one.quantity for one in signals) <= Decimal("0.001")


@pytest.mark.parametrize("period", ["2026-13", "soon", "2026-12..2026-11", "2026-01..2036-01"])
def test_a_period_that_is_none_is_refused(period: str) -> None:
    with pytest.raises(ValueError, match=r"month|before|longer"):
        months_of(period)


def test_a_deal_by_month_of_closing_and_likelihood() -> None:
    deal = Opportunity.model_construct(
        name="大同科技 年度采购",
        stage="open",
        amount=Decimal(1000),
        probability=Decimal(60),
        closing=Day(2026, 12, 15),
        currency="CNY",
        account="account:7",
        lines={"a": Line.model_construct(product="product:1", quantity=Decimal(50), total=Decimal(900))},
    )
    around = Around(region_of={"account:7": "华南"}.__getitem__, unit_of=lambda product: "件")
    line, rest = signals_of({"opportunity:1": deal}, {}, (), RULES, around)
    assert (line.month, line.region, line.unit, line.likely_quantity) == ("2026-12", "华南", "件", Decimal(30))
    assert (line.likely_amount, rest.product, rest.likely_amount) == (Decimal(540), "", Decimal(60))


def test_of_a_partly_accepted_quote_what_is_taken_counts() -> None:
    def line(accepted: str | None) -> QuoteLine:
        taken = Decimal(accepted) if accepted else None
        return QuoteLine.model_construct(product="product:1", quantity=Decimal(3), total=Decimal(100), accepted=taken)

    quote = Quote.model_construct(
        state="part_accepted",
        currency="CNY",
        total=Decimal(300),
        lines={"a": line("1"), "b": line("3"), "c": line(None)},
    )
    found = signals_of({}, {"quote:1": quote}, (), RULES, AROUND)
    assert [(one.quantity, one.amount) for one in found] == [(1, Decimal("33.33")), (3, 100), (0, 0)]


def test_lost_deals_are_told_apart_by_whom_they_were_lost_to_and_why() -> None:
    def lost(competitor: str, reason: str) -> Opportunity:
        return Opportunity.model_construct(
            stage="lost", amount=Decimal(10), competitor=competitor, lost_reason=reason, lines={}
        )

    deals = {f"opportunity:{n}": lost("长江机电", why) for n, why in enumerate(("价格偏高", "交期太长", "价格偏高"))}
    found = [(one.key, one.amount) for one in grouped(signals_of(deals, {}, (), RULES, AROUND), "competitor")]
    assert found == [(("长江机电", "交期太长"), 10), (("长江机电", "价格偏高"), 20)]
