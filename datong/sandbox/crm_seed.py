"""What SimCRM's people have begun already: opportunities, quotes and contracts that nobody has ordered by yet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from datong.sandbox.clock import SECOND, to_datetime
from datong.sandbox.fields import Row
from datong.sandbox.system import System

_MOST = 200
_IN_CNY = {"EUR": Decimal("7.8"), "USD": Decimal("7.1")}
_CARRIERS = ("顺丰速运", "德邦物流", "中通快运", "DHL", None)
_PACKINGS = ("木箱", "纸箱加固", "防潮包装", None)
_REMARKS = ("请随货附质检报告", "分两批发货，先发一半", "开票前请与财务确认抬头", None)
_TERMS = (
    ("30/60/10 %", (("预付款", "30", "款到发货", True, False), ("到货款", "60", "月结30天", False, False))),
    ("款到发货", (("全款", "90", "款到发货", True, False),)),
    ("月结30天", (("货款", "90", "月结30天", False, False),)),
)
_RETENTION = ("质保金", "10", "验收后12个月", False, True)


def fill_documents(crm: System, seed: int, at: int) -> None:
    """For at most every second customer, and never more than 200. `at`: microseconds, when the first was entered."""
    products = [state.data for state in crm.table("products").live.states.values()]
    for number, account in enumerate(islice(_customers(crm), _MOST)):
        rng = random.Random(f"{seed}/documents/{number}")
        entered = at + number * 3600 * SECOND
        begun = _begun(account, products, rng, entered)
        name = f"{account['name'][:90]} {to_datetime(entered).year} 年度采购"
        opportunity = {**begun, "name": name, "stage": "open", "probability": str(rng.randrange(10, 100, 10))}
        key = crm.load("opportunities", opportunity | {"close_date": _later(entered, 90)}, entered)
        if number % 3:
            crm.load("quotes", _quote(begun, key, rng, entered), entered + SECOND)
        elif number % 6 == 0:
            crm.load("contracts", _contract(begun, key, name, rng, entered), entered + SECOND)


def _customers(crm: System) -> Iterator[Row]:
    view = crm.table("accounts").live
    rows = (view.states[key].data for key in view.ids())
    return islice((row for row in rows if row["stage"] == "customer"), 0, None, 2)


def _begun(account: Row, products: list[Row], rng: random.Random, entered: int) -> Row:
    country = account["addresses"][0]["country"] if account["addresses"] else "CN"
    europe = country in ("DE", "FR")
    currency = "EUR" if europe else "CNY" if country == "CN" else "USD"
    chosen = rng.sample(products, min(rng.randint(1, 4), len(products)))
    return {
        "account_id": account["id"],
        "owner_id": account["owner_id"],
        "company": "europe" if europe else "asia",
        "currency": currency,
        "tax_included": country == "CN",
        "lines": [_line(number, product, country, currency, rng) for number, product in enumerate(chosen, 1)],
    }


def _line(number: int, product: Row, country: str, currency: str, rng: random.Random) -> Row:
    price = Decimal(product["list_price"]) / _IN_CNY.get(currency, Decimal(1))
    return {
        "position": 10 * number,
        "product_id": product["id"],
        "description": product["name"],
        "quantity": str(rng.choice((1, 2, 5, 10, 50, 100, 250))),
        "unit": product["unit"],
        "price": f"{price:.4f}",
        "discount": rng.choice((None, None, "3", "5", "12.5")),
        "tax_code": {"CN": "VAT13", "FR": "VAT20"}.get(country, "ZERO"),
    }


def _quote(begun: Row, opportunity: Any, rng: random.Random, entered: int) -> Row:
    return {
        **begun,
        "opportunity_id": opportunity,
        "state": rng.choice(("draft", "sent", "sent", "rejected")),
        "date": _later(entered, 0),
        "valid_to": _later(entered, 60),
        "wanted_date": _later(entered, 45),
        "payment_term": rng.choice(("PREPAID", "NET30", "NET60")),
        "carrier": rng.choice(_CARRIERS),
        "packing": rng.choice(_PACKINGS),
        "remarks": rng.choice(_REMARKS),
    }


def _contract(begun: Row, opportunity: Any, name: str, rng: random.Random, entered: int) -> Row:
    spoken, plan = rng.choice(_TERMS)
    return {
        **begun,
        "name": name,
        "opportunity_id": opportunity,
        "state": "draft",
        "date": _later(entered, 0),
        "start_date": _later(entered, 0),
        "end_date": _later(entered, 365),
        "frame": False,
        "spoken_terms": spoken,
        "instalments": [_instalment(*one) for one in (*plan, _RETENTION)],
    }


def _instalment(name: str, percent: str, rule: str, before_shipment: bool, retention: bool) -> Row:
    told = {"name": name, "percent": percent, "rule": rule}
    return {**told, "before_shipment": before_shipment, "retention": retention}


def _later(entered: int, days: int) -> str:
    return (to_datetime(entered) + timedelta(days=days)).date().isoformat()
