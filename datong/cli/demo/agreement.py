"""Do both systems agree? Judged by their own data alone, without Datong's code or memory.

Which customer here is which there: by the account number that the ERP gave; by a tax id that exactly one customer
holds on each side; by name and mail for what was created with our key.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import phonenumbers

Row = Mapping[str, Any]
TERMS = {"PREPAID": 1, "NET15": 2, "NET30": 3, "NET60": 4}
"""Code in the CRM -> id in the ERP."""
UNITS = {"pcs": 1, "box": 2, "kg": 3, "m": 4}
USES = {"BILL": "billing", "SHIP": "shipping", "OFFICE": "office"}


@dataclass(frozen=True)
class Difference:
    what: str
    crm_id: str
    erp_id: str
    field: str
    crm: Any
    erp: Any


@dataclass
class Verdict:
    """How many pairs of each kind were compared, in how many fields, and where they differ."""

    pairs: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def weigh(self, what: str, crm_id: Any, erp_id: Any, facts: Iterable[tuple[str, Any, Any]]) -> None:
        """One pair; a fact is a name, the CRM's value and the ERP's, in one form."""
        self.pairs[what] += 1
        for name, here, there in facts:
            self.fields[what] += 1
            if here != there:
                self.differences.append(Difference(what, str(crm_id), str(erp_id), name, here, there))

    @property
    def agree(self) -> bool:
        return bool(self.pairs["customers"]) and not (self.differences or self.doubled or self.lost)


def compare(crm: Callable[[str], Sequence[Row]], erp: Callable[[str], Sequence[Row]]) -> Verdict:
    """`crm("accounts")` and `erp("customers")` give the rows as the systems hold them."""
    verdict = Verdict()
    accounts, customers = list(crm("accounts")), list(erp("customers"))
    pairs = customer_pairs(accounts, customers)
    verdict.doubled = [*_shared(pairs), *_doubled(accounts, "external_key"), *_doubled(customers, "extRef")]
    verdict.lost = _lost(pairs, accounts, customers)
    _compare(verdict, "customers", pairs, customer)
    by_id = {c["id"]: a["id"] for a, c in pairs}
    _compare(verdict, "contacts", _contact_pairs(crm("contacts"), erp("contacts"), by_id), contact)
    items = {item["itemNo"]: item for item in erp("items")}
    products = [(one, items[one["sku"]]) for one in crm("products") if one["sku"] in items]
    _compare(verdict, "products", products, product)
    return verdict


# which is which


def customer_pairs(accounts: Sequence[Row], customers: Sequence[Row]) -> list[tuple[Row, Row]]:
    """Each account with each customer that the two systems themselves show to be the same."""
    found: dict[tuple[str, int], tuple[Row, Row]] = {}
    taken: set[Any] = set()
    for keys_here, keys_there in (
        (_account_numbers, _customer_numbers),
        (_account_tax, _customer_tax),
        (_account_name, _customer_name),
    ):
        here = _index((a for a in accounts if a["id"] not in taken), keys_here)
        there = _index((c for c in customers if c["id"] not in taken), keys_there)
        for key in sorted(here.keys() & there.keys()):
            if len(here[key]) == len(there[key]) == 1:
                one, other = here[key][0], there[key][0]
                found[one["id"], other["id"]] = (one, other)
        taken = {i for pair in found for i in pair}
    return list(found.values())


def _index(rows: Iterable[Row], keys: Callable[[Row], Iterable[Any]]) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        for key in keys(row):
            found.setdefault(key, []).append(row)
    return found


def _account_numbers(row: Row) -> Iterator[tuple[str, str]]:
    return ((company, part["number"]) for company, part in (row["erp"] or {}).items() if part.get("number"))


def _customer_numbers(row: Row) -> Iterator[tuple[str, str]]:
    return ((company, part["accountNo"]) for company, part in row["companies"].items() if part["accountNo"])


def _account_tax(row: Row) -> Iterator[str]:
    if row["tax_id"] and row["tax_id"].strip():
        yield text(row["tax_id"]).upper()


def _customer_tax(row: Row) -> Iterator[str]:
    if row["taxNo"].strip():
        yield text(row["taxNo"]).upper()


def _account_name(row: Row) -> Iterator[tuple[str, str]]:
    yield text(row["name"]), text(row["email"])


def _customer_name(row: Row) -> Iterator[tuple[str, str]]:
    if row["extRef"]:
        yield text(row["custName"]), text(row["email"])


def _contact_pairs(here: Iterable[Row], there: Iterable[Row], accounts: Mapping[int, str]) -> list[tuple[Row, Row]]:
    """Contacts of one customer with one mail address that nobody else of it has."""
    one = _index(here, lambda r: [(r["account_id"], text(r["email"]).lower())] if r["email"] else [])
    other = _index(there, lambda r: [(accounts.get(r["custId"]), text(r["mail"]).lower())] if r["mail"] else [])
    return [
        (one[key][0], other[key][0])
        for key in one.keys() & other.keys()
        if key[0] is not None and len(one[key]) == len(other[key]) == 1
    ]


# what must not be


def _shared(pairs: Iterable[tuple[Row, Row]]) -> list[str]:
    here, there = Counter(a["id"] for a, _ in pairs), Counter(c["id"] for _, c in pairs)
    return [f"{i} stands for several on the other side" for i, n in (*here.items(), *there.items()) if n > 1]


def _doubled(rows: Iterable[Row], key: str) -> list[str]:
    counted = Counter(row[key] for row in rows if row[key])
    return [f"{value} was created {n} times" for value, n in counted.items() if n > 1]


def _lost(pairs: Iterable[tuple[Row, Row]], accounts: Iterable[Row], customers: Iterable[Row]) -> list[str]:
    """What was created with our key, and has no counterpart."""
    known = {row["id"] for pair in pairs for row in pair}
    ours = [r for r in accounts if r["external_key"]] + [r for r in customers if r["extRef"]]
    return [f"{row['id']} was created, and its origin is not to be found" for row in ours if row["id"] not in known]


# what must be equal


def text(value: Any) -> str:
    return unicodedata.normalize("NFC", str(value or "")).strip()


def phone(value: Any) -> str:
    """E.164; a number of China where no country is told."""
    told = unicodedata.normalize("NFKC", text(value))
    if not told:
        return ""
    try:
        parsed = phonenumbers.parse(told, "CN")
    except phonenumbers.NumberParseException:
        return told
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def number(value: Any) -> Decimal | None:
    return None if value in (None, "") else Decimal(str(value))


Sides = tuple[Any, Any]
Facts = Callable[[Row, Row], Iterator[tuple[str, Any, Any]]]


def customer(crm: Row, erp: Row) -> Iterator[tuple[str, Any, Any]]:
    yield "name", text(crm["name"]), text(erp["custName"])
    yield "tax id", text(crm["tax_id"]).upper(), text(erp["taxNo"]).upper()
    yield "phone", phone(crm["phone"]), phone(erp["tel"])
    yield "email", text(crm["email"]).lower(), text(erp["email"]).lower()
    yield "website", text(crm["website"]), text(erp["web"])
    yield "invoice title", text(crm["invoice_title"]), text(erp["invoiceTitle"])
    yield "active", crm["active"], erp["status"] == "active"
    yield "addresses", _addresses(crm), _sites(erp)
    for company, part in erp["companies"].items():
        known = (crm["erp"] or {}).get(company) or {}
        yield f"number, {company}", text(known.get("number")), text(part["accountNo"])
        yield f"credit limit, {company}", number(known.get("credit_limit")), number(part["creditLimit"])
        yield f"blocked, {company}", bool(known.get("blocked")), bool(part["blocked"])
        yield f"terms, {company}", TERMS.get(known.get("payment_term") or ""), part["paymentTermId"]


def _addresses(row: Row) -> list[tuple[str, ...]]:
    names = ("type", "country", "province", "city", "district", "street", "postcode")
    return sorted(tuple(text(one[name]) for name in names) for one in row["addresses"])


def _sites(row: Row) -> list[tuple[str, ...]]:
    names = ("countryCode", "state", "town", "area", "street", "zip")
    return sorted((USES.get(one["use"], ""), *(text(one[name]) for name in names)) for one in row["sites"])


def contact(crm: Row, erp: Row) -> Iterator[tuple[str, Any, Any]]:
    yield "name", text(crm["name"]), text(erp["fullName"])
    yield "title", text(crm["title"]), text(erp["position"])
    yield "phone", phone(crm["phone"]), phone(erp["tel"])
    yield "mobile", phone(crm["mobile"]), phone(erp["mobile"])
    yield "active", crm["active"], not erp["disabled"]


def product(crm: Row, erp: Row) -> Iterator[tuple[str, Any, Any]]:
    yield "name", text(crm["name"]), text(erp["description"])
    yield "unit", UNITS.get(crm["unit"]), erp["baseUnit"]
    yield "list price", number(crm["list_price"]), number(erp["salesPrice"])
    yield "currency", text(crm["currency"]), text(erp["currency"])
    yield "active", crm["active"], not erp["discontinued"]


def _compare(verdict: Verdict, what: str, pairs: Iterable[tuple[Row, Row]], facts: Facts) -> None:
    for crm, erp in pairs:
        verdict.weigh(what, crm["id"], erp.get("id", erp.get("contactId")), facts(crm, erp))
