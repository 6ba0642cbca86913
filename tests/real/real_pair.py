"""The pair of real systems: BottleCRM as the CRM, Tryton as the ERP, each through its own API.

The two servers run on real time; `advance` moves Datong's clock only.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

import lab
from datong.base.money import Money, decimal, plain
from tests.scenarios.pair import OffsetClock, Pair, Side

COMPANIES: dict[str, dict[str, Any]] = {
    "asia": {"id": 1, "currency": "CNY", "time_zone": "Asia/Shanghai"},
    "europe": {"id": 2, "currency": "EUR", "time_zone": "Europe/Paris"},
}
PARTS = ("party.address", "party.contact_mechanism", "party.identifier")
REGION_CODE = {"account": {"region_code": {"label_en": "Region code", "label_zh": "区域代码"}}}
"""The custom field of these scenarios: a custom field in BottleCRM, the plain field `customer_code` in Tryton."""
REGION_CODE_MAP = {"erp": {"account": {"custom.region_code": {"field": "customer_code"}}}}


class TrytonSide(Side):
    """A customer is a party; the e-mail and phone are its first contact mechanisms without a person's name."""

    def __init__(self, tryton: lab.Tryton) -> None:
        self.system = tryton

    def make(self, **customer: Any) -> str:
        told = {"name": customer.pop("name")}
        if "tax_id" in customer:
            told["identifiers"] = [["create", [{"type": "cn_vat", "code": customer.pop("tax_id")}]]]
        (party,) = self.system.call("model.party.party.create", [told])
        self.change(str(party), **customer)
        return str(party)

    def change(self, native_id: str, **customer: Any) -> None:
        party, plain_values = int(native_id), {}
        for name, value in customer.items():
            if name in ("phone", "email", "website"):
                self._mechanism(party, name, value)
            elif name == "credit_limit":
                for company, amount in value.items():
                    self._write(party, {"credit_limit_amount": Decimal(amount)}, company)
            elif name == "terms":
                plain_values["customer_payment_term"] = self.system.ids["payment_terms"][value]
            else:
                plain_values[{"region_code": "customer_code"}.get(name, name)] = value
        if plain_values:
            self._write(party, plain_values)

    def _write(self, party: int, values: dict[str, Any], company: str = "asia") -> None:
        context = {"company": self.system.companies[company]}
        self.system.call("model.party.party.write", [party], values, context=context)

    def _mechanism(self, party: int, kind: str, value: str | None) -> None:
        domain = [["party", "=", party], ["type", "=", kind], ["name", "=", None]]
        held = self.rows("party.contact_mechanism", domain, ("value",))
        if value is None:
            self.system.call("model.party.contact_mechanism.delete", [row["id"] for row in held])
        elif held:
            self.system.call("model.party.contact_mechanism.write", [held[0]["id"]], {"value": value})
        else:
            told = {"party": party, "type": kind, "value": value}
            self.system.call("model.party.contact_mechanism.create", [told])

    def remove(self, native_id: str) -> None:
        self.system.call("model.party.party.delete", [int(native_id)])

    def customer(self, native_id: str) -> dict[str, Any] | None:
        return self._told([["id", "=", int(native_id)]]).get(native_id)

    def customers(self) -> dict[str, dict[str, Any]]:
        return self._told([["id", "not in", self.staff()]])

    def staff(self) -> list[int]:
        """The parties of our own companies and employees, which are no customers."""
        rows = [*self.rows("company.company", (), ("party",)), *self.rows("company.employee", (), ("party",))]
        return [row["party"] for row in rows]

    def rows(self, model: str, domain: Iterable[Any], fields: Iterable[str], company: str = "asia") -> list[Any]:
        context = {"company": self.system.companies[company], "active_test": False}
        asked = [list(domain), 0, None, [["id", "ASC"]], list(fields)]
        return list(self.system.call(f"model.{model}.search_read", *asked, context=context))

    def _told(self, domain: list[Any]) -> dict[str, dict[str, Any]]:
        plain_fields = ("name", "active", "code", "customer_code", "customer_payment_term")
        parties = self.rows("party.party", domain, plain_fields)
        ids = [row["id"] for row in parties]
        limits = {
            company: {r["id"]: r for r in self.rows("party.party", domain, ("credit_limit_amount",), company)}
            for company in self.system.companies
        }
        terms = {number: name for name, number in self.system.ids["payment_terms"].items()}
        parts: dict[str, dict[int, list[Any]]] = {}
        wanted = {
            "party.address": ("party", "street", "city", "postal_code", "active"),
            "party.contact_mechanism": ("party", "type", "value", "name", "active"),
            "party.identifier": ("party", "type", "code", "active"),
        }
        for model, fields in wanted.items():
            for row in self.rows(model, [["party", "in", ids]], fields):
                if row["active"]:
                    parts.setdefault(model, {}).setdefault(row["party"], []).append(row)
        found: dict[str, dict[str, Any]] = {}
        for row in parties:
            held = parts.get("party.contact_mechanism", {}).get(row["id"], [])
            numbers = parts.get("party.identifier", {}).get(row["id"], [])
            addresses = parts.get("party.address", {}).get(row["id"], [])
            found[str(row["id"])] = {
                **{kind: _first(m["value"] for m in held if m["type"] == kind and not m["name"]) for kind in
                   ("phone", "email", "website")},
                "name": row["name"],
                "active": bool(row["active"]),
                "code": row["code"],
                "region_code": row["customer_code"],
                "tax_id": _first(n["code"] for n in numbers if n["type"]),
                "terms": terms.get(row["customer_payment_term"]),
                "credit_limit": {c: _number(limits[c][row["id"]]["credit_limit_amount"]) for c in limits},
                "addresses": [(a["street"], a["city"], a["postal_code"]) for a in addresses],
                "people": {m["name"]: m["value"] for m in held if m["type"] == "email" and m["name"]},
            }  # fmt: skip
        return found

    def stop(self) -> None:
        self.system.stop()

    def start(self) -> None:
        self.system.start()

    def writes(self) -> int:
        """What Tryton's own log says: one entry each time that a party, with or without its parts, was written."""
        parties = [f"party.party,{one}" for one in self.customers()]
        domain = [["resource", "in", parties], ["event", "=", "write"]]
        return len({row["id"] for row in self.rows("ir.model.log", domain, ("event",))})

    def dump(self) -> dict[str, Any]:
        """Every party and every part of it, change stamps included."""
        stamped = {}
        for model in ("party.party", *PARTS):
            fields = self.system.call(f"model.{model}.fields_get", [])
            stamped[model] = self.rows(model, (), (*fields, "_timestamp"))
        return stamped

    def clear(self) -> None:
        parties = [int(one) for one in self.customers()]
        if parties:
            self.system.call("model.party.party.delete", parties)


class BottleSide(Side):
    """A customer is an account; what BottleCRM has no field for is in its custom fields."""

    account_limit = 255
    _CUSTOM = ("tax_id", "region_code")

    def __init__(self, bottle: lab.BottleCrm) -> None:
        self.system = bottle

    def _wire(self, customer: dict[str, Any]) -> dict[str, Any]:
        wire: dict[str, Any] = {}
        for name, value in customer.items():
            if name in self._CUSTOM:
                wire.setdefault("custom_fields", {})[name] = value
            elif name in ("terms", "credit_limit", "number"):
                wire.setdefault("custom_fields", {}).update({f"{name}_{c}": one for c, one in value.items()})
            else:
                wire["is_active" if name == "active" else name] = value
        return wire

    def make(self, **customer: Any) -> str:
        return str(self.system.call("POST", "/api/accounts/", self._wire(customer))["id"])

    def make_contact(self, account: str, first: str, last: str, email: str) -> str:
        body = {"first_name": first, "last_name": last, "email": email, "account": account}
        return str(self.system.call("POST", "/api/contacts/", body)["id"])

    def change(self, native_id: str, **customer: Any) -> None:
        self.system.call("PATCH", f"/api/accounts/{native_id}/", self._wire(customer))

    def remove(self, native_id: str) -> None:
        self.system.call("DELETE", f"/api/accounts/{native_id}/")

    def merge(self, keep: str, lose: str) -> None:
        self.system.call("POST", f"/api/accounts/{keep}/merge/", {"merge_id": lose})

    def customer(self, native_id: str) -> dict[str, Any] | None:
        return self.customers().get(native_id)

    def customers(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: self._told(row) for row in self.accounts()}

    def accounts(self) -> list[dict[str, Any]]:
        answer = self.system.call("GET", "/api/accounts/?limit=100000")
        return [*answer["active_accounts"]["open_accounts"], *answer["closed_accounts"]["close_accounts"]]

    def contacts(self) -> list[dict[str, Any]]:
        return list(self.system.call("GET", "/api/contacts/?limit=100000")["results"])

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        custom = row.get("custom_fields") or {}
        return {
            **{n: row.get(n) for n in ("name", "phone", "email", "website")},
            "active": row["is_active"],
            "tax_id": custom.get("tax_id"),
            "region_code": custom.get("region_code"),
            "number": {c: custom.get(f"number_{c}") for c in COMPANIES},
            "terms": {c: custom.get(f"terms_{c}") for c in COMPANIES},
            "credit_limit": {c: _money(custom.get(f"credit_limit_{c}")) for c in COMPANIES},
            "address": (row.get("address_line"), row.get("city"), row.get("postcode")),
        }

    def stop(self) -> None:
        self.system.stop()

    def start(self) -> None:
        self.system.start()

    def history(self) -> list[tuple[str, str, str]]:
        """What BottleCRM's own activity log says of accounts, newest first, at most 50: id, action, account."""
        found = self.system.call("GET", "/api/activities/?limit=50&entity_type=Account")["activities"]
        return [(one["id"], one["action"], one["entity_id"]) for one in found]

    def switch_field(self, key: str, *, on: bool) -> None:
        """Switch the definition of a custom field of accounts off, or on again."""
        answer = self.system.call("GET", "/api/custom-fields/?target_model=Account")
        one = next(d for d in answer["definitions"] if d["key"] == key)
        self.system.call("PUT", f"/api/custom-fields/{one['id']}/", {"is_active": on})

    def dump(self) -> dict[str, Any]:
        """Every account and contact, change times included where there are, and the log of activities."""
        by_id: Any = {row["id"]: row for row in self.accounts()}
        people: Any = {row["id"]: row for row in self.contacts()}
        return {"accounts": _ageless(by_id), "contacts": _ageless(people), "history": self.history()}

    def clear(self) -> None:
        for row in self.contacts():
            self.system.call("DELETE", f"/api/contacts/{row['id']}/")
        for row in self.accounts():
            self.system.call("DELETE", f"/api/accounts/{row['id']}/")


def _ageless(value: Any) -> Any:
    """Without "3 minutes ago", which changes by itself."""
    if isinstance(value, dict):
        return {name: _ageless(one) for name, one in value.items() if not name.startswith("humanized")}
    return [_ageless(one) for one in value] if isinstance(value, list) else value


def _first(values: Iterable[Any]) -> Any:
    return next(iter(values), None)


def _number(amount: Any) -> str | None:
    return None if amount is None else plain(decimal(str(amount)))


def _money(text: Any) -> str | None:
    return None if not text else plain(Money.parse(text).amount)


class RealPair(Pair):
    crm: BottleSide
    erp: TrytonSide
    clock: OffsetClock

    def advance(self, seconds: float) -> None:
        self.clock.offset += seconds

    def stand(self) -> tuple[Any, Any]:
        """All that both systems hold, to be compared."""
        return self.crm.dump(), self.erp.dump()


def real_pair(real: lab.Real, folder: Path) -> RealPair:
    def write(target: Path) -> Path:
        path = target / "datong.yaml"
        for name, secret in (("crm.token", real.bottlecrm.token), ("erp.password", real.tryton.password)):
            (target / name).write_text(secret, encoding="utf8")
        with path.open("w", encoding="utf8") as file:
            YAML().dump(configuration(real), file)
        return path

    return RealPair(BottleSide(real.bottlecrm), TrytonSide(real.tryton), folder, OffsetClock(), write)


def configuration(real: lab.Real) -> dict[str, Any]:
    crm, erp = real.bottlecrm, real.tryton
    without_id = {code: {n: v for n, v in told.items() if n != "id"} for code, told in COMPANIES.items()}
    return {
        "connections": {
            "crm": {
                "system": "bottlecrm", "role": "crm", "url": crm.url, "token": "${file:crm.token}",
                "phone_region": "CN", "create_custom_fields": True, "companies": without_id,
            },
            "erp": {
                "system": "tryton", "role": "erp", "url": erp.url, "database": erp.database, "login": erp.login,
                "password": "${file:erp.password}", "phone_region": "CN",
                "companies": {code: {**told, "id": erp.companies[code]} for code, told in COMPANIES.items()},
            },
        },
        "reckoning": {"default": {"rounding": "half_even"}},  # as Tryton rounds
        "flows": {
            "customer_master": {"first_load": "crm", "trigger": {"every": "10s", "sweep": "10m"}},
        },
    }  # fmt: skip
