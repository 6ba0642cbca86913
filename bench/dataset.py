"""Deterministic customers of an imaginary ERP.

`record(i, rev)` is a pure function: the same index and revision give the same record on every machine, so a run can
be checked without keeping a copy of what was served. Revision 0 is the base state; `touched(i, rev)` says whether
revision `rev` changed record `i` (exactly one in a hundred).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

T0 = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=10)

Country = tuple[str, str, str, str]

# name as the ERP spells it, ISO code, dialling code, trunk prefix
COUNTRIES: list[Country] = [
    ("Germany", "DE", "49", "0"),
    ("Austria", "AT", "43", "0"),
    ("Switzerland", "CH", "41", "0"),
    ("France", "FR", "33", "0"),
    ("Italy", "IT", "39", ""),
    ("Spain", "ES", "34", ""),
    ("Netherlands", "NL", "31", "0"),
    ("Poland", "PL", "48", ""),
    ("United Kingdom", "GB", "44", "0"),
    ("Sweden", "SE", "46", "0"),
    ("United States", "US", "1", ""),
    ("Japan", "JP", "81", "0"),
]
_NAMES = [
    "Müller",
    "Søndergaard",
    "O'Neill",
    "Łukasz",
    "García",
    "Brandt",
    "Tanaka",
    "Ferrari",
    "Lefèvre",
    "Smith",
    "van Dijk",
    "Öberg",
    "Weiß",
    "Novak",
    "Dąbrowski",
    "King",
]
_TRADES = [
    "Maschinenbau",
    "Logistics",
    "Foods",
    "Trading",
    "Medical",
    "Textiles",
    "Electronics",
    "Bau",
    "Consulting",
    "Chemicals",
    "Optics",
    "Paper",
    "Tools",
]
_FORMS = ["GmbH", "AG", "Ltd", "S.A.", "B.V.", "Inc.", "KG", "Sp. z o.o."]
_STREETS = [
    "Hauptstraße",
    "Rue de la Paix",
    "High Street",
    "Via Roma",
    "Calle Mayor",
    "Kungsgatan",
    "Market Square",
    "Bahnhofstrasse",
    "Industrieweg",
    'Long "Old" Lane',
]
_CITIES = [
    "Berlin",
    "Wien",
    "Zürich",
    "Lyon",
    "Milano",
    "Málaga",
    "Utrecht",
    "Gdańsk",
    "Leeds",
    "Malmö",
    "Austin",
    "Kyōto",
]
_STATUS = "AAAAAAPIB"
_TERMS = ["N00", "N14", "N30", "N30", "N60", "CIA"]
_TAGS = ["VIP;Export", "", "export", "Reseller; VIP", "", "wholesale"]


def _mix(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 31)


def stamp(t: datetime) -> str:
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"


def touched(i: int, rev: int) -> bool:
    return i % 100 == (rev * 37) % 100


def updated_at(i: int, rev: int) -> str:
    return stamp(T0 + timedelta(days=rev) + i * STEP)


def _phone(country: Country, r: int, style: int) -> str:
    _, _, code, trunk = country
    a, b, c = 100 + r % 900, 100 + (r >> 10) % 900, 1000 + (r >> 20) % 9000
    if style == 0:
        return f"({trunk}{a}) {b}-{c}"
    if style == 1:
        return f"+{code} {a} {b} {c}"
    if style == 2:
        return f"00{code}-{a}-{b}{c}"
    return f" {trunk}{a}/{b}.{c} "


def number(i: int) -> str:
    return f"C{i:08d}"


def record(i: int, rev: int = 0) -> dict[str, Any]:
    r = _mix(i)
    q = _mix(i * 31 + rev * 1_000_003 + 7)
    country = COUNTRIES[r % 12]
    name = _NAMES[(r >> 4) % 16]
    trade = _TRADES[(r >> 8) % 13]
    person = (r >> 12) % 10 == 0
    return {
        "customer_no": number(i),
        "name1": f"  {name} {trade}" if not person else f"{name},  Alex ",
        "name2": "" if person else _FORMS[(r >> 16) % 8] + " ",
        "customer_type": "PERSON" if person else "COMPANY",
        "status": _STATUS[(q >> 3) % 9],
        "vat_no": "" if person else f"{country[1].lower()} {(r >> 5) % 900000000 + 100000000}",
        "phone": _phone(country, q, (q >> 7) % 4),
        "mobile": "" if (r >> 20) % 3 == 0 else _phone(country, r >> 7, (r >> 22) % 4),
        "email": f" Info.{i}@{trade}.Example " if (r >> 23) % 2 else f"office{i}@mail.example",
        "website": f"WWW.{trade}-{i % 9973}.Example",
        "street": _STREETS[(r >> 26) % 10],
        "house_no": f"{(r >> 30) % 200 + 1}{'abc '[(r >> 38) % 4]}",
        "postal_code": f"{(r >> 33) % 90000 + 10000}",
        "city": f" {_CITIES[r % 12]} ",
        "country_name": country[0],
        "currency": {"CH": "CHF", "PL": "PLN", "GB": "GBP", "SE": "SEK", "US": "USD", "JP": "JPY"}.get(
            country[1], "EUR"
        ),
        "credit_limit": ("%d", "%d.5", "%d.25")[(q >> 12) % 3] % ((q >> 14) % 250000),
        "balance_cents": (q >> 32) % 20_000_000 - 1_000_000,
        "payment_terms": _TERMS[(r >> 40) % 6],
        "sales_rep": f"E{(r >> 44) % 400:03d}",
        "language": "de" if country[1] in ("DE", "AT", "CH") else "en",
        "tags": _TAGS[(r >> 48) % 6],
        "updated_at": updated_at(i, rev),
    }
