"""How each of the two systems writes down a party, the people who work there, and a product."""

import random
from dataclasses import dataclass
from typing import Any

from datong.sandbox.fields import Row
from datong.sandbox.names import GIVEN, SURNAMES, Party
from datong.sandbox.reference import ELSEWHERE, EUROPE, PRODUCTS, REGIONS

Person = tuple[str, str, str, str]  # surname, given name, mail, mobile
_STAGES = ("lead", "prospect", "customer", "customer", "closed")
_ADDRESS_USES = (("billing",), ("billing",), ("billing", "shipping"))


@dataclass(slots=True)
class Entry:
    """One party as one of the systems knows it."""

    party: Party
    name: str
    tax_id: str
    parent: "Entry | None" = None
    number: "Entry | None" = None  # the ERP customer whose account number the CRM holds
    key: Any = None


def crm_account(entry: Entry, rng: random.Random) -> Row:
    party = entry.party
    region, _ = _region(party)
    number = {"number": f"{_company_of(party)[0].upper()}1{entry.number.key:05d}"} if entry.number else None
    return {
        "name": entry.name,
        "name_en": party.name_en[:120],
        "type": "person" if party.is_person else "company",
        "stage": "customer" if entry.number else rng.choice(_STAGES),
        "tax_id": entry.tax_id if entry.tax_id or rng.random() < 0.5 else None,
        "invoice_title": party.name if entry.tax_id and rng.random() < 0.5 else None,
        "phone": party.phone,
        "email": f"info@{party.domain}",
        "website": None if party.is_person else f"https://www.{party.domain}",
        "industry": rng.choice(("制造业", "批发", "零售", "Automotive", None)),
        "dealer_level": rng.choice((None, None, "A", "B", "C")),
        "parent_id": entry.parent.key if entry.parent else None,
        "owner_id": rng.choice((None, "U-000002", "U-000003", "U-000004", "U-000005")),
        "region": region,
        "addresses": [_crm_address(party, use) for use in rng.choice(_ADDRESS_USES)],
        "erp": {_company_of(party): number} if number else {},
        "custom": {"region_code": region, "vip": rng.random() < 0.1, "score": str(rng.randint(0, 100))},
    }


def erp_customer(entry: Entry, rng: random.Random) -> Row:
    party = entry.party
    _, region = _region(party)
    limit = str(rng.choice((0, 5000, 20000, 100000, 250000)))
    part = {"paymentTermId": rng.randint(1, 4), "creditLimit": limit, "blocked": rng.random() < 0.05}
    return {
        "custName": entry.name[:80],
        "custNameEn": party.name_en[:80],
        "isPerson": party.is_person,
        "taxNo": entry.tax_id,
        "tel": party.phone if rng.random() < 0.6 else party.phone.replace("-", " ").replace("+", "00"),
        "email": f"info@{party.domain}" if rng.random() < 0.7 else f"finance@{party.domain}",
        "salesEmployeeId": rng.choice((None, 1, 2, 3, 4)),
        "regionCode": region,
        "status": "inactive" if rng.random() < 0.05 else "active",
        "currency": _currency(party),
        "sites": [_erp_site(party)],
        "userFields": {"regionCode": region, "vip": rng.random() < 0.1},
        "companies": {_company_of(party): part},
    }


def people(entry: Entry, seed: int) -> list[Person]:
    """Who works there, the same on both sides."""
    rng = random.Random(f"{seed}/{entry.party.domain}")
    found = []
    for n in range(rng.choice((0, 1, 1, 2))):
        surname, given = rng.choice(list(SURNAMES)), rng.choice(list(GIVEN))
        mail = f"{GIVEN[given]}.{SURNAMES[surname]}{n or ''}@{entry.party.domain}".lower()
        found.append((surname, given, mail, f"138{rng.randint(10**7, 10**8 - 1)}"))
    return found


def _region(party: Party) -> tuple[str, str]:
    if party.country == "CN":
        return REGIONS[party.province]
    return EUROPE if party.country in ("DE", "FR") else ELSEWHERE


def _company_of(party: Party) -> str:
    return "europe" if party.country in ("DE", "FR") else "asia"


def _currency(party: Party) -> str:
    return {"CN": "CNY", "DE": "EUR", "FR": "EUR"}.get(party.country, "USD")


def _crm_address(party: Party, use: str) -> Row:
    return {
        "type": use,
        "country": party.country,
        "province": party.province,
        "city": party.city,
        "street": party.street,
        "postcode": party.postcode,
    }


def _erp_site(party: Party) -> Row:
    return {
        "use": "BILL",
        "countryCode": party.country,
        "state": party.province,
        "town": party.city,
        "street": party.street,
        "zip": party.postcode,
    }


def crm_contact(account: str, person: Person) -> Row:
    surname, given, mail, mobile = person
    name = {"last_name": surname, "first_name": given, "name": surname + given}
    return {"account_id": account, **name, "email": mail, "mobile": mobile, "language": "zh"}


def erp_contact(customer: int, person: Person) -> Row:
    surname, given, mail, mobile = person
    name = {"familyName": surname, "givenName": given, "fullName": surname + given}
    return {"custId": customer, **name, "mail": mail.upper(), "mobile": f"+86 {mobile}", "lang": "zh"}


def crm_product(i: int) -> Row | None:
    """The CRM lacks every seventh item of the ERP."""
    if i % 7 == 6:
        return None
    name, name_en, (unit, _), category, price = PRODUCTS[i % len(PRODUCTS)]
    series = f" {i // len(PRODUCTS) + 1}" if i >= len(PRODUCTS) else ""
    return {
        "sku": f"SKU-{i + 1:05d}",
        "name": name + series,
        "name_en": name_en + series,
        "unit": unit,
        "list_price": price,
        "currency": "CNY",
        "tax_code": "VAT13",
        "category": category,
    }


def erp_item(i: int) -> Row | None:
    """The ERP lacks every ninth product of the CRM."""
    if i % 9 == 8:
        return None
    name, name_en, (_, unit), category, price = PRODUCTS[i % len(PRODUCTS)]
    series = f" {i // len(PRODUCTS) + 1}" if i >= len(PRODUCTS) else ""
    return {
        "itemNo": f"SKU-{i + 1:05d}",
        "description": name + series,
        "descriptionEn": name_en + series,
        "baseUnit": unit,
        "salesPrice": price,
        "currency": "CNY",
        "taxCodeId": 1,
        "group": category,
        "leadDays": 7 + i % 3 * 7,
    }
