"""A customer in Tryton is spread over a party, its addresses, contact mechanisms, identifiers and company values.

Pure functions: rows as read -> one wire record; one write -> the values of one `create` or `write` of the party, so
that Tryton keeps or refuses all of it in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from datong.base.errors import RequestRefused
from datong.base.json import digest
from datong.base.money import plain
from datong.kit import ItemWrite, WireRecord, Write

KEY = "datong:"
"""Begins the code of the identifier (without type) that holds our key, so that other such identifiers are not ours."""

FIELDS = ("name", "code", "active", "last_modified_at", "_timestamp", "replaced_by", "tax_identifier")
OPTIONAL = ("customer_payment_term", "credit_limit_amount", "sale_price_list")
"""Of modules that need not be activated."""
PER_COMPANY = ("credit_limit_amount", "sale_price_list")
"""Of these, what each company keeps for itself."""
LIMIT_ROWS = "credit_limit_amounts"
CHILDREN = {
    "addresses": "party.address",
    "contact_mechanisms": "party.contact_mechanism",
    "identifiers": "party.identifier",
}
CHILD_FIELDS = {
    "addresses": (
        "street", "city", "postal_code", "country.code", "subdivision.name", "sequence", "invoice", "delivery",
    ),
    "contact_mechanisms": ("type", "value", "name", "sequence"),
    "identifiers": ("type", "code", "code_compact", "sequence"),
}  # fmt: skip
EVERY_CHILD = ("party", "active", "last_modified_at", "_timestamp")
MECHANISMS = {"phone": ("phone", "mobile"), "email": ("email",), "website": ("website",)}
"""Wire field -> the types that hold it; the first is the one a new mechanism gets."""

COMPOSED = {"name", "code", "active", "phone", "email", "website", "country", "tax_identifier", "company", "addresses"}


@dataclass(frozen=True)
class Company:
    """One company of the connection."""

    code: str
    id: int
    currency: str


@dataclass(frozen=True)
class Places:
    """Ids of countries by code, and of subdivisions by country and name."""

    countries: Mapping[str, int]
    subdivisions: Mapping[tuple[str, str], int]


def in_use(row: Mapping[str, Any], children: str) -> list[dict[str, Any]]:
    """The children that are switched on, in the order in which Tryton shows them."""
    rows = [child for child in row.get(f"{children}.") or [] if child.get("active")]
    return sorted(rows, key=lambda c: (c.get("sequence") is not None, c.get("sequence") or 0, c["id"]))


def own_key(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The identifier that holds our key."""
    for one in in_use(row, "identifiers"):
        if one["type"] is None and one["code"].startswith(KEY):
            return one
    return None


def tax_identifier(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The identifier that Tryton prints on invoices."""
    return next((one for one in in_use(row, "identifiers") if one["id"] == row.get("tax_identifier")), None)


def mechanism(row: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The party's own phone, e-mail or website: the first one that bears no person's name."""
    for kind in MECHANISMS[name]:
        for one in in_use(row, "contact_mechanisms"):
            if one["type"] == kind and not one.get("name"):
                return one
    return None


def usage(address: Mapping[str, Any]) -> str:
    if address.get("invoice"):
        return "both" if address.get("delivery") else "invoice"
    return "delivery" if address.get("delivery") else "general"


def compose(
    row: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, Any]],
    companies: Sequence[Company],
    extra: Iterable[str],
) -> WireRecord:
    """One wire record. `parts`: company -> what applies there of `PER_COMPANY`, as far as Tryton keeps it."""
    tax, key = tax_identifier(row), own_key(row)
    data: dict[str, Any] = {
        "name": row["name"],
        "code": row["code"],
        "active": bool(row["active"]),
        "tax_identifier": {"code": tax and tax["code_compact"], "type": tax and tax["type"]},
        "own_key": key and key["code"].removeprefix(KEY),
        "addresses": [_address(one) for one in in_use(row, "addresses")],
        "company": {one.code: _company(row, parts.get(one.code, {})) for one in companies},
    }
    for name in MECHANISMS:
        found = mechanism(row, name)
        data[name] = found and found["value"]
    where = _country(data["addresses"], tax)
    if where is not None:
        data["country"] = where
    data.update({name: scalar(row[name]) for name in extra if name in row})
    return WireRecord(str(row["id"]), data, _version(row), _changed(row), bool(row["active"]))


def _address(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(one["id"]),
        "use": usage(one),
        "country": (one.get("country.") or {}).get("code"),
        "province": (one.get("subdivision.") or {}).get("name"),
        "city": one["city"],
        "street": one["street"],
        "postal_code": one["postal_code"],
    }


def _company(row: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    held: dict[str, Any] = {}
    if "customer_payment_term" in row:
        held["terms"] = row["customer_payment_term"]
    if "credit_limit_amount" in part:
        limit = part["credit_limit_amount"]
        held["credit_limit"] = None if limit is None else plain(limit)
    if "sale_price_list" in part:
        held["price_list"] = part["sale_price_list"]
    return held


def _country(addresses: Sequence[Mapping[str, Any]], tax: Mapping[str, Any] | None) -> str | None:
    """A party has no country of its own: that of its first address, else the one its tax number speaks of."""
    told: str | None = next((one["country"] for one in addresses if one["country"]), None)
    if told is None and tax is not None:
        start = str(tax["code_compact"] if tax["type"] == "eu_vat" else tax["type"])[:2].upper()
        told = {"EL": "GR", "EU": None}.get(start, start)
    return told


def scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def stamps(row: Mapping[str, Any]) -> dict[str, str]:
    """What Tryton compares before it writes: the state of the party and of each of its children."""
    held = {f"party.party,{row['id']}": row["_timestamp"]}
    for children, model in CHILDREN.items():
        held.update({f"{model},{one['id']}": one["_timestamp"] for one in row.get(f"{children}.") or []})
    return held


def _version(row: Mapping[str, Any]) -> str:
    return digest(stamps(row))


def _changed(row: Mapping[str, Any]) -> Any:
    times = [one["last_modified_at"] for children in CHILDREN for one in row.get(f"{children}.") or []]
    return max([row["last_modified_at"], *times])


def changes(
    write: Write,
    row: Mapping[str, Any],
    companies: Sequence[Company],
    terms_for: Sequence[str],
    places: Places,
    guess_type: Callable[[str, str | None], str | None],
) -> dict[str, Any]:
    """The values of one `create` (`row` empty) or `write`. Raises RequestRefused naming the field."""
    wanted = dict(write.values)
    values: dict[str, Any] = {name: value for name, value in wanted.items() if name not in COMPOSED}
    for name in ("name", "active"):
        if name in wanted:
            values[name] = wanted[name]
    addresses = [_address_command(one, row, places) for one in write.items.get("addresses", ())]
    if not row or addresses:
        values["addresses"] = addresses  # said even when empty, or Tryton makes an empty address
    if mechanisms := [c for name in MECHANISMS if name in wanted for c in _mechanism_command(row, name, wanted[name])]:
        values["contact_mechanisms"] = mechanisms
    hint = _hinted_country(write, row)
    tax = _tax_command(row, wanted.get("tax_identifier"), hint, guess_type)
    if identifiers := [*_key_command(row, write.key), *tax]:
        values["identifiers"] = identifiers
    values.update(_company_values(wanted.get("company") or {}, row, companies, terms_for))
    return values


def _mechanism_command(row: Mapping[str, Any], name: str, value: str | None) -> list[Any]:
    held = mechanism(row, name)
    if value is None:
        return [["delete", [held["id"]]]] if held else []
    if held:
        return [["write", [held["id"]], {"value": value}]]
    return [["create", [{"type": MECHANISMS[name][0], "value": value}]]]


def _key_command(row: Mapping[str, Any], key: str | None) -> list[Any]:
    held = own_key(row)
    if key is None or (held and held["code"] == KEY + key):
        return []
    code = {"type": None, "code": KEY + key}
    return [["write", [held["id"]], code]] if held else [["create", [code]]]


def _tax_command(
    row: Mapping[str, Any],
    wanted: Mapping[str, Any] | None,
    hint: str | None,
    guess_type: Callable[[str, str | None], str | None],
) -> list[Any]:
    if wanted is None or "code" not in wanted:
        return []
    held, code = tax_identifier(row), wanted["code"]
    if code is None:
        return [["delete", [held["id"]]]] if held else []
    kind = guess_type(str(code), hint)
    if kind is None:
        raise RequestRefused(
            f"{code} is not a valid tax number of any country that Tryton knows, or its country is not given",
            remedy="correct the tax number, or give the customer an address with its country",
            field="tax_identifier.code",
            code="tax_number",
        )
    told = {"type": kind, "code": code}
    return [["write", [held["id"]], told]] if held else [["create", [told]]]


def _hinted_country(write: Write, row: Mapping[str, Any]) -> str | None:
    told = [one.values.get("country") for one in write.items.get("addresses", ()) if one.action != "delete"]
    told += [(one.get("country.") or {}).get("code") for one in in_use(row, "addresses")]
    return next((code for code in told if code), None)


def _address_command(one: ItemWrite, row: Mapping[str, Any], places: Places) -> list[Any]:
    if one.action == "delete":
        return ["write", [_line(one)], {"active": False}]  # invoices may refer to it
    values = _address_values(one, row, places)
    return ["create", [values]] if one.action == "create" else ["write", [_line(one)], values]


def _line(one: ItemWrite) -> int:
    if one.id is None:
        raise RequestRefused(f"an address to {one.action} without its id", code="address_id", field="addresses")
    return int(one.id)


def _address_values(one: ItemWrite, row: Mapping[str, Any], places: Places) -> dict[str, Any]:
    values = {name: one.values[name] for name in ("street", "city", "postal_code") if name in one.values}
    if "use" in one.values:
        use = one.values["use"]
        values.update(invoice=use in ("invoice", "both"), delivery=use in ("delivery", "both"))
    held = next((a for a in in_use(row, "addresses") if str(a["id"]) == one.id), {})
    code = one.values.get("country", (held.get("country.") or {}).get("code"))
    if "country" in one.values:
        values["country"] = None if code is None else _known(places.countries, code, "country", code)
        if one.id is not None and code != (held.get("country.") or {}).get("code"):
            values["subdivision"] = None  # it was one of the other country
    if "province" in one.values:
        province = one.values["province"]
        key = (str(code), str(province))
        values["subdivision"] = None if province is None else _known(places.subdivisions, key, "province", province)
    return values


def _known(ids: Mapping[Any, int], key: Any, what: str, shown: Any) -> int:
    if key in ids:
        return ids[key]
    raise RequestRefused(
        f"Tryton has no {what} {shown!r}" + (f" in {key[0]}" if isinstance(key, tuple) else ""),
        remedy=f"add it in Tryton under Administration > Countries, or correct the {what}",
        field=f"addresses.{what}",
        code="unknown_place",
    )


def _company_values(
    wanted: Mapping[str, Mapping[str, Any]],
    row: Mapping[str, Any],
    companies: Sequence[Company],
    terms_for: Sequence[str],
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    terms = {code: given["terms"] for code, given in wanted.items() if "terms" in given}
    if terms:
        values["customer_payment_term"] = _shared_terms(terms, row, terms_for)
    rows = {one["company"]: one["id"] for one in row.get(f"{LIMIT_ROWS}.") or []}
    commands: list[Any] = []
    for company in companies:
        given = wanted.get(company.code) or {}
        if "credit_limit" not in given:
            continue
        text = given["credit_limit"]
        amount = None if text is None else Decimal(str(text))
        if company is companies[0]:
            values["credit_limit_amount"] = amount  # the call is made in this company
        elif company.id in rows:
            commands.append(["write", [rows[company.id]], {"credit_limit_amount": amount}])
        else:
            commands.append(["create", [{"company": company.id, "credit_limit_amount": amount}]])
    if commands:
        values[LIMIT_ROWS] = commands
    return values


def _shared_terms(terms: Mapping[str, Any], row: Mapping[str, Any], terms_for: Sequence[str]) -> Any:
    """Tryton keeps one payment term for a customer, whichever the company."""
    code, new = next(iter(terms.items()))
    others = [c for c in terms_for if c not in terms] if row else []
    differs = any(value != new for value in terms.values()) or (others and row.get("customer_payment_term") != new)
    if differs:
        raise RequestRefused(
            "Tryton keeps one payment term for a customer in all its companies; this would change it for "
            + ", ".join([c for c in terms if c != code] + others),
            remedy="give all companies the same term, or switch the field off in the map for all but one of them",
            field=f"company.{code}.terms",
            code="shared_terms",
        )
    return new
