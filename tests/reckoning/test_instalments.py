"""Payment plans: what is paid by which receipt, what is overdue, whether goods may go."""

from datetime import date as Day
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.canon import Contract, Payment
from datong.reckoning.instalments import (
    Bill,
    BillsCount,
    Due,
    Receipt,
    State,
    frame_rest,
    may_ship,
    plan_of,
    plan_problems,
    receipt_of,
    settle,
    to_tell,
)

D = Decimal
TODAY = Day(2026, 11, 22)
PLAN = [
    Due("预付款", D("300"), Day(2026, 11, 1), before_shipment=True),
    Due("发货款", D("600"), Day(2026, 12, 1), before_shipment=True),
    Due("质保金", D("100"), Day(2027, 12, 1), retention=True),
]


def receipt(key: str, amount: str, day: Day = Day(2026, 11, 10), **more: Any) -> Receipt:
    return Receipt(key, D(amount), day, **more)


def short(state: State) -> list[tuple[str, str]]:
    return [(str(one.paid), one.state) for one in state.instalments]


@pytest.mark.parametrize(
    ("receipts", "stands", "advance"),
    [
        ([], [("0", "overdue"), ("0", "open"), ("0", "open")], "0"),
        ([receipt("1", "100")], [("100", "overdue"), ("0", "open"), ("0", "open")], "0"),
        ([receipt("1", "300")], [("300", "paid"), ("0", "open"), ("0", "open")], "0"),
        ([receipt("1", "500")], [("300", "paid"), ("200", "part"), ("0", "open")], "0"),
        ([receipt("1", "1200")], [("300", "paid"), ("600", "paid"), ("100", "paid")], "200"),
        ([receipt("1", "1000.5")], [("300", "paid"), ("600", "paid"), ("100", "paid")], "0.5"),
        ([receipt("1", "100", told={"质保金": D(100)})], [("0", "overdue"), ("0", "open"), ("100", "paid")], "0"),
        ([receipt("1", "150", told={"质保金": D(120)})], [("50", "overdue"), ("0", "open"), ("100", "paid")], "0"),
        ([receipt("1", "300", reversed=True)], [("0", "overdue"), ("0", "open"), ("0", "open")], "0"),
        ([receipt("1", "300", claimed=False)], [("0", "overdue"), ("0", "open"), ("0", "open")], "0"),
        ([receipt("1", "300", Day(2026, 11, 23))], [("0", "overdue"), ("0", "open"), ("0", "open")], "0"),
        (
            [receipt("1", "500"), receipt("2", "-250", Day(2026, 11, 11))],
            [("250", "overdue"), ("0", "open"), ("0", "open")],
            "0",
        ),
        (
            [receipt("1", "1200"), receipt("2", "-250", Day(2026, 11, 11))],
            [("300", "paid"), ("600", "paid"), ("50", "part")],
            "0",
        ),
        ([receipt("1", "-10")], [("0", "overdue"), ("0", "open"), ("0", "open")], "-10"),
    ],
)
def test_how_a_plan_stands(receipts: list[Receipt], stands: list[tuple[str, str]], advance: str) -> None:
    state = settle(PLAN, receipts, TODAY)
    assert short(state) == stands
    assert state.advance == D(advance)


def test_three_tenths_pay_what_is_three_tenths() -> None:
    state = settle([Due("一", D("0.3"))], [receipt(str(n), "0.1") for n in range(3)], TODAY)
    assert (state.paid, state.open, state.instalments[0].state) == (D("0.3"), 0, "paid")


def test_what_the_customer_keeps_back_is_told_apart() -> None:
    state = settle(PLAN, [receipt("1", "930")], TODAY)
    assert (state.open, state.retained) == (D(70), D(70))
    assert settle(PLAN, [], TODAY).retained == D(100)


def test_it_is_known_which_receipt_paid_what_and_what_was_told_in_vain() -> None:
    state = settle(PLAN, [receipt("b", "350"), receipt("a", "50", told={"尾款": D(50)})], TODAY)
    assert state.of("预付款").by == {"a": D(50), "b": D(250)}
    assert state.of("发货款").by == {"b": D(100)}
    assert state.unknown == ("尾款",)
    assert settle(PLAN, [receipt("c", "70", claimed=False)], TODAY).unclaimed == D(70)


HELD = Bill(Day(2026, 11, 22))


@pytest.mark.parametrize(
    ("bill", "counts"),
    [
        (HELD, {"receipt", "maturity"}),
        (Bill(Day(2026, 11, 23)), {"receipt"}),
        (Bill(None), {"receipt"}),
        (Bill(Day(2026, 12, 31), "discounted"), {"receipt", "maturity", "clearing"}),
        (Bill(Day(2026, 12, 31), "cleared"), {"receipt", "maturity", "clearing"}),
        (Bill(Day(2026, 12, 31), "endorsed"), {"receipt"}),
        (Bill(Day(2026, 11, 1), "endorsed"), {"receipt", "maturity", "clearing"}),
        (Bill(Day(2026, 11, 1), "refused"), set()),
    ],
)
def test_when_an_acceptance_bill_is_money(bill: Bill, counts: set[str]) -> None:
    """承兑汇票: by setting at receipt, at maturity or when it cleared."""
    settings: tuple[BillsCount, ...] = ("receipt", "maturity", "clearing")
    for bills in settings:
        state = settle(PLAN, [receipt("1", "300", bill=bill)], TODAY, bills=bills)
        assert (state.paid == 300) == (bills in counts)
        assert state.waiting == (300 if bills not in counts and bill.state != "refused" else 0)


def test_a_bill_received_today_waits_from_today() -> None:
    bill = Bill(Day(2026, 12, 31))
    assert settle(PLAN, [receipt("1", "300", TODAY, bill=bill)], TODAY).waiting == 300
    assert settle(PLAN, [receipt("1", "300", Day(2026, 11, 23), bill=bill)], TODAY).waiting == 0


def test_goods_go_when_what_must_be_paid_first_is_paid() -> None:
    closed = may_ship(PLAN, [receipt("1", "500")], TODAY)
    assert (closed.ok, closed.missing) == (False, D(400))
    assert closed.en == "400 is still to be paid before shipment (发货款)"
    assert closed.zh == "发货前还应收 400（发货款）"
    paid, nothing = may_ship(PLAN, [receipt("1", "900")], TODAY), may_ship(PLAN[2:], [], TODAY)
    assert (paid.ok, paid.en, paid.zh) == (True, "what has to be paid first is paid", "发货前应收款项已收齐")
    assert (nothing.ok, nothing.en, nothing.zh) == (True, "nothing has to be paid first", "无需先付款")
    waiting = may_ship(PLAN, [receipt("1", "900", bill=Bill(Day(2027, 5, 1)))], TODAY)
    assert not waiting.ok and "bills of 900" in waiting.en and "900 的承兑汇票" in waiting.zh
    elsewhere = may_ship(PLAN, [receipt("1", "900", told={"质保金": D(100)})], TODAY)
    assert (elsewhere.ok, elsewhere.missing) == (False, D(100))


@pytest.mark.parametrize(
    ("contract", "plan", "codes"),
    [
        ("1000", PLAN, []),
        ("1200", PLAN, []),
        ("999.99", PLAN, ["PLAN_EXCEEDS_CONTRACT"]),
        ("1000", [Due("一", D("-1"))], ["NEGATIVE_INSTALMENT"]),
        ("1000", [Due("一", D("0.001"))], ["UNPAYABLE_AMOUNT"]),
        ("1000", [Due("一", D("1")), Due("一", D("2"))], ["DOUBLE_INSTALMENT"]),
        ("0.3", [Due(str(n), D("0.1")) for n in range(3)], []),
    ],
)
def test_a_plan_never_exceeds_its_contract(contract: str, plan: list[Due], codes: list[str]) -> None:
    found = plan_problems(D(contract), plan, "CNY")
    assert [one.code for one in found] == codes
    assert all(one.zh and one.remedy and one.remedy_zh for one in found)


def test_what_is_left_of_a_frame_contract() -> None:
    rest = frame_rest(D(1000), [D("300.1"), D("200.2")])
    assert (rest.ordered, rest.rest, rest.exceeded) == (D("500.3"), D("499.7"), False)
    assert frame_rest(D(1000), [D("1000.01")]).exceeded
    assert not frame_rest(D(1000), [D(1000)]).exceeded


def test_the_owner_hears_of_it_before_and_after() -> None:
    state = settle(PLAN, [receipt("1", "100")], TODAY)
    assert to_tell(state, TODAY, ahead=9) == [("预付款", -21), ("发货款", 9)]
    assert to_tell(state, TODAY, ahead=8) == [("预付款", -21)]
    assert to_tell(settle(PLAN, [receipt("1", "1000")], TODAY), TODAY, ahead=900) == []


def test_overdue_is_the_day_after() -> None:
    plan = [Due("一", D(1), TODAY)]
    assert settle(plan, [], TODAY).instalments[0].state == "open"
    assert settle(plan, [], Day(2026, 11, 23)).instalments[0].state == "overdue"


def test_a_plan_and_receipts_from_records() -> None:
    contract = Contract.from_fields(
        {
            "instalments.b.amount": "700",
            "instalments.b.due": "2026-12-31",
            "instalments.a.amount": "300",
            "instalments.a.due": "2026-11-01",
            "instalments.a.before_shipment": True,
            "instalments.c.name": "未定",
        }
    )
    assert plan_of(contract) == [
        Due("a", D(300), Day(2026, 11, 1), before_shipment=True),
        Due("b", D(700), Day(2026, 12, 31)),
    ]
    paid: dict[str, Any] = {"amount": "500", "date": "2026-11-10", "state": "posted"}
    ours = {
        "allocations.1.contract": "contract:2",
        "allocations.1.instalment": "a",
        "allocations.1.amount": "100",
        "allocations.2.invoice": "invoice:6",
        "allocations.2.amount": "50",
        "allocations.3.contract": "contract:3",
        "allocations.3.amount": "350",
    }

    def read(**more: Any) -> Receipt | None:
        return receipt_of(Payment.from_fields({**paid, **more}), "payment:1", "contract:2", {"invoice:6"})

    assert read(**ours) == receipt("payment:1", "150", told={"a": D(100)})
    assert read() == receipt("payment:1", "500", claimed=False)
    assert read(**ours, state="reversed") == receipt("payment:1", "150", told={"a": D(100)}, reversed=True)
    assert read(state="draft") is None
    assert read(**{"allocations.1.contract": "contract:9", "allocations.1.amount": "5"}) is None
    billed = read(bill_number="1308", bill_due="2027-01-01")
    assert billed is not None and billed.bill == Bill(Day(2027, 1, 1), "held")


CENTS = st.integers(0, 10**6).map(lambda cents: D(cents) / 100)
PLANS = st.lists(CENTS, min_size=1, max_size=5).map(lambda parts: [Due(str(n), part) for n, part in enumerate(parts)])


@st.composite
def receipts(draw: st.DrawFn) -> list[Receipt]:
    return [
        Receipt(
            str(n),
            draw(CENTS) * draw(st.sampled_from([1, 1, 1, -1])),
            Day(2026, 11, draw(st.integers(1, 22))),
            draw(st.dictionaries(st.sampled_from("0123x"), CENTS, max_size=2)),
            claimed=draw(st.booleans()),
            reversed=draw(st.booleans()),
        )
        for n in range(draw(st.integers(0, 6)))
    ]


@settings(max_examples=60)
@given(PLANS, receipts(), st.randoms())
def test_no_money_is_lost_or_made(plan: list[Due], some: list[Receipt], random: Any) -> None:
    state = settle(plan, some, TODAY)
    counted = [one for one in some if not one.reversed]
    assert state.paid + state.advance == sum((one.amount for one in counted if one.claimed), D(0))
    assert state.unclaimed == sum((one.amount for one in counted if not one.claimed), D(0))
    assert state.paid + state.open == sum((one.amount for one in plan), D(0))
    for one in state.instalments:
        assert 0 <= one.paid <= one.amount
        assert sum(one.by.values(), D(0)) == one.paid
    shuffled = list(some)
    random.shuffle(shuffled)
    assert settle(plan, shuffled, TODAY) == state
