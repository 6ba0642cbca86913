"""What customers are told, from shipments, cases and returns on the sandbox pair to a real mail server and a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from datong.sandbox.fields import Row
from tests.connectors.letter_servers import Gateway, PostOffice, gateway, post_office
from tests.scenarios.documents import BOOKS, SMALL, Company, line, opened

CARRIED = ("orders", "cases", "returns", "case_to_return", "contact", *BOOKS)
TOLD = ("shipment_notices", "case_notices", "return_notices", "survey_notices")
EVENTS: dict[str, list[str]] = {
    "shipped": ["mail", "sms"],
    "case_received": ["mail"],
    "case_resolved": ["mail"],
    "return_authorised": ["mail"],
    "return_done": ["mail"],
    "survey": ["mail"],
}


class Story:
    def __init__(self, company: Company, office: PostOffice, texts: Gateway) -> None:
        self.company, self.office, self.texts = company, office, texts
        self.crm, self.erp = company.crm, company.erp
        self.customers: dict[str, str] = {}
        self.cases: dict[str, str] = {}
        self.counts: dict[str, int] = {}

    def customer(self, name: str, **person: Any) -> None:
        self.customers[name] = key = self.company.customer()
        if person:
            self.crm.create("contacts", {"account_id": key, "name": name, "email": f"{name}@kunde.example", **person})

    def sell(self, *names: str) -> None:
        for name in names:
            found = [row for row in self.crm.rows("contacts") if row["account_id"] == self.customers[name]]
            more = {"contact_id": found[0]["id"]} if found else {}
            self.company.released(self.customers[name], [line(SMALL, 2)], **more)
        self.company.settle()

    def ship(self, *names: str) -> None:
        for name in names:
            self.erp.act("ship", order=self.company.erp_order(self.customers[name])["id"])

    def case(self, name: str, subject: str, **values: Any) -> None:
        order = self.company.crm_order(self.customers[name])["id"]
        told = {"order_id": order, "sku": SMALL, "reason": "noise", **values}
        person = next((r["id"] for r in self.crm.rows("contacts") if r["account_id"] == self.customers[name]), None)
        self.cases[name] = self.crm.desk.make_case(self.customers[name], subject, contact_id=person, **told)["id"]

    def mails(self, name: str) -> list[EmailMessage]:
        return self.office.to(f"{name}@kunde.example")

    def subjects(self, name: str) -> list[str]:
        return [str(one["Subject"]) for one in self.mails(name)]

    def items(self) -> list[Row]:
        return [one for one in self.company.pair.items() if one["kind"] == "notice"]


def notices(events: dict[str, list[str]] = EVENTS, **settings: Any) -> dict[str, Any]:
    return {"notices": {"on": True, "settings": {"tell": {"default": events}, **settings}}}


def gate(texts: Gateway) -> dict[str, Any]:
    ask = {
        "path": "/send",
        "headers": {"Authorization": "Bearer {{ secrets.token }}"},
        "body": {"to": "{{ phone }}", "text": "{{ text }}", "ref": "{{ key }}"},
    }
    answer = {"code": "code", "reason": "msg", "id": "id"}
    told = {"system": "sms", "role": "desk", "url": texts.url, "ask": ask, "answer": answer}
    return {**told, "secrets": {"token": "${file:desk.token}"}}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("notices")
    (folder / "desk.token").write_text("tk", encoding="utf8")
    with post_office() as office, gateway() as texts:
        for company in opened(folder, 6, CARRIED):
            yield played(Story(company, office, texts))


def switch_on(told: Story, **settings: Any) -> None:
    told.company.pair.configure(
        connections={
            "post": {"system": "smtp", "role": "desk", **told.office.settings()},
            "texts": gate(told.texts),
        },
        flows={**{name: {"on": True} for name in TOLD}, **notices(**settings)},
        service={"public_url": "https://service.datong.example"},
        statements={"default": {"name": "大同科技", "name_en": "Datong Technology"}},
    )
    told.company.flows = (*CARRIED, *TOLD, "notices", "customer_master", "product_catalogue")


def played(told: Story) -> Story:
    told.customer("past", mobile="13800138000")
    told.customer("li.na", mobile="13800138001")
    told.customer("smith", language="en")
    told.customer("nobody")
    told.company.settle()
    told.sell("past", "li.na", "smith", "nobody")
    told.ship("past")
    told.company.settle()
    told.case("past", "旧工单")
    told.company.settle()
    switch_on(told)
    told.company.settle()
    told.company.pair.advance(60)
    told.counts["at switch-on"] = len(told.office.mails) + len(told.texts.calls)
    told.crm.edit("contacts", told.crm.rows("contacts")[0]["id"], {"title": "经理"})
    told.ship("li.na", "smith", "nobody")
    told.company.settle()
    told.company.settle()
    return told


def test_the_past_is_told_to_nobody(story: Story) -> None:
    assert story.counts["at switch-on"] == 0
    assert not story.mails("past")


def test_a_shipment_is_told_once_in_the_customers_language(story: Story) -> None:
    (zh,), (en,) = story.mails("li.na"), story.mails("smith")
    assert "您的货物已发出" in str(zh["Subject"]) and "on their way" in str(en["Subject"])
    order = story.company.crm_order(story.customers["li.na"])["number"]
    assert f"您的订单 {order}" in zh.get_content() and f"{SMALL} 小部件 × 2" in zh.get_content()
    assert "大同科技" in zh.get_content() and "Datong Technology" in en.get_content()
    assert "https://service.datong.example/p/see/" in zh.get_content()
    assert zh["Auto-Submitted"] == "auto-generated"
    (sent,) = story.texts.bodies("/send")
    assert sent["to"] == "+8613800138001" and "您的货物已发出" in sent["text"]
