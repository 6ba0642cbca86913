"""The edits that `--once` makes, each as a person would on the system's own page."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datong.sandbox import Sandbox
from datong.sandbox.identifiers import uscc

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Edit:
    """What was done where, and what must follow."""

    where: str
    what: str
    then: str


def make(sandbox: Sandbox, pairs: list[tuple[Row, Row]]) -> list[Edit]:
    """A handful on both sides: different fields, fields the other side owns, an address, a price, a new customer."""
    ready = [pair for pair in pairs if _plain(*pair)]
    if len(ready) < 7:
        raise ValueError(f"only {len(ready)} customers to edit; take a larger --size")
    (a, _), (b, _), (_, c), (d, _), (e, _), (f, g) = ready[0], ready[1], ready[2], ready[3], ready[4], ready[5]
    crm, erp = sandbox.crm, sandbox.erp
    erp.edit("customers", ready[0][1]["id"], {"tel": "021 5555 0101"})
    crm.edit("accounts", a["id"], {"email": "orders@example.com"})
    crm.edit("accounts", b["id"], {"name": f"{b['name'].strip()} 2"})
    company = next(iter(c["companies"]))
    erp.edit("customers", c["id"], {"companies": {company: {"creditLimit": "77000"}}})
    theirs = next(iter(ready[3][1]["companies"]))
    crm.edit("accounts", d["id"], {"erp": {theirs: {"credit_limit": "999999"}}})
    crm.edit("accounts", e["id"], {"addresses": [*e["addresses"], NEW_ADDRESS]})
    crm.edit("accounts", f["id"], {"website": "https://crm.example.com"})
    erp.edit("customers", g["id"], {"web": "https://erp.example.com"})
    erp.edit("customers", ready[6][1]["id"], {"custName": "changed in the wrong place"})
    item = sandbox.erp.rows("items")[0]
    erp.edit("items", item["id"], {"salesPrice": "123.4500"})
    new = crm.create("accounts", new_customer())
    return [
        Edit("ERP", f"phone of {_name(a)}", "the CRM shows it"),
        Edit("CRM", f"e-mail of {_name(a)}", "the ERP shows it: two edits of one customer do not meet"),
        Edit("CRM", f"{_name(b)} renamed", "the ERP shows it"),
        Edit("ERP", f"credit limit of {_name(c)}", "the CRM shows it, for that company only"),
        Edit("CRM", f"credit limit of {_name(d)}", "put back: the ERP decides it"),
        Edit("CRM", f"second address of {_name(e)}", "the ERP gets one more site"),
        Edit("both", f"website of {_name(f)}, differently", "a conflict: a person decides"),
        Edit("ERP", f"name of {_name(ready[6][0])}", "put back: the CRM decides it"),
        Edit("ERP", f"price of {item['itemNo']}", "the CRM shows it"),
        Edit("CRM", f"new customer {_name(new)}", "the ERP gets it, once"),
    ]


NEW_ADDRESS = {
    "type": "shipping",
    "country": "CN",
    "province": "江苏",
    "city": "苏州",
    "street": "星湖街328号",
    "postcode": "215000",
}


def new_customer() -> dict[str, Any]:
    return {
        "name": "达通演示（苏州）有限公司",
        "name_en": "Datong Demo (Suzhou) Co., Ltd.",
        "type": "company",
        "stage": "customer",
        "tax_id": uscc(random.Random("datong demo")),
        "phone": "0512-65550188",
        "email": "demo@datong.example",
        "addresses": [{**NEW_ADDRESS, "type": "billing"}],
    }


def _plain(crm: Row, erp: Row) -> bool:
    """A customer with an account in one company of ours, active, with one tax id."""
    return bool(erp["companies"]) and crm["active"] and erp["status"] == "active" and bool(crm["tax_id"])


def _name(row: Row) -> str:
    return str(row.get("name") or row.get("custName")).strip()
