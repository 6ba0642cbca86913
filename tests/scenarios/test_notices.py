"""What customers are told: from the documents of the sandbox pair to a real mail server and a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from datong.operations import work
from datong.sandbox.fields import Row
from tests.cli.conftest import datong
from tests.connectors.letter_servers import Gateway, PostOffice, gateway, post_office
from tests.scenarios.documents import BOOKS, SMALL, Company, line, opened
from tests.scenarios.pair import WANG

CARRIED = ("orders", "cases", "returns", "case_to_return", "contact", *BOOKS)
TOLD = ("shipment_notices", "case_notices", "return_notices", "survey_notices")
EVENTS: dict[str, list[str]] = {
    "shipped": ["mail", "sms"],
    "case_received": ["mail"],
    "case_resolved": ["mail", "group"],
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


def notices(events: dict[str, list[str]] | None = None, **settings: Any) -> dict[str, Any]:
    return {"notices": {"on": True, "settings": {"tell": {"default": events or EVENTS}, **settings}}}


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
        texts.answer = lambda path, body: {"code": "0", "errcode": 0, "id": f"g-{len(texts.calls)}"}
        for company in opened(folder, 6, CARRIED):
            yield played(Story(company, office, texts))


def switch_on(told: Story, **settings: Any) -> None:
    told.company.pair.configure(
        connections={
            "post": {"system": "smtp", "role": "desk", **told.office.settings()},
            "texts": gate(told.texts),
            "robot": {"system": "wecom", "role": "desk", "url": told.texts.url, "robot_key": "${file:desk.token}"},
            "desk": {"system": "inbox", "role": "desk"},
        },
        flows={**{name: {"on": True} for name in TOLD}, **notices(**settings)},
        service={"public_url": "https://service.datong.example"},
        statements={"default": {"name": "大同科技", "name_en": "Datong Technology"}},
    )
    told.company.flows = (*CARRIED, *TOLD, "notices", "customer_master", "product_catalogue")


def played(told: Story) -> Story:
    told.customer("past", mobile="13800138000")
    told.customer("li.na", mobile="13800138001")
    told.customer("smith", language="en", mobile="0755-2600 0000")
    told.customer("nobody")
    told.customer("lost", mobile="13800138002")
    told.customer("refused", mobile="13800138003")
    told.company.settle()
    told.sell(*told.customers)
    told.ship("past")
    told.company.settle()
    told.case("past", "旧工单")
    told.company.settle()
    switch_on(told)
    told.company.settle()
    told.company.pair.advance(60)
    told.counts["at switch-on"] = len(told.office.mails) + len(told.texts.calls)
    told.crm.edit("contacts", told.crm.rows("contacts")[0]["id"], {"title": "经理"})
    told.crm.desk.change_case(told.cases["past"], state="open")
    told.ship("li.na", "smith", "nobody")
    told.company.settle()
    told.counts["without address"] = len(told.items())
    told.crm.edit("accounts", told.customers["nobody"], {"email": "nobody@kunde.example"})
    told.company.settle()
    told.erp.act("invoice", order=told.company.erp_order(told.customers["li.na"])["id"])
    told.case("li.na", "轴承有异响")
    told.company.settle()
    told.crm.desk.accept_return(told.cases["li.na"], "refund")
    told.company.settle()
    (rma,) = told.company.in_erp(told.customers["li.na"], "returnOrders")
    told.erp.act("authorise_return", rma=rma["id"])
    told.company.settle()
    told.crm.desk.resolve_case(told.cases["li.na"], "更换轴承")
    told.company.settle()
    told.crm.desk.close_case(told.cases["li.na"])
    told.company.settle()
    told.office.silent = 1
    told.office.answers["refused@kunde.example"] = "550 no such user"
    told.ship("lost", "refused")
    told.company.settle()
    told.company.pair.advance(3600)
    told.company.pair.restart()
    told.company.settle()
    return told


def test_the_past_is_told_to_nobody(story: Story) -> None:
    """Neither what happened before it was switched on, nor that it is touched again."""
    assert story.counts["at switch-on"] == 0
    assert not story.mails("past")


def test_a_shipment_is_told_once_in_the_customers_language(story: Story) -> None:
    zh, en = story.mails("li.na")[0], story.mails("smith")[0]
    assert "您的货物已发出" in str(zh["Subject"]) and "on their way" in str(en["Subject"])
    assert sum("您的货物已发出" in one for one in story.subjects("li.na")) == len(story.mails("smith")) == 1
    order = story.company.crm_order(story.customers["li.na"])["number"]
    assert f"您的订单 {order}" in zh.get_content() and f"{SMALL} 小部件 × 2" in zh.get_content()
    assert "大同科技" in zh.get_content() and "Datong Technology" in en.get_content()
    assert "https://service.datong.example/p/see/" in zh.get_content()
    assert zh["Auto-Submitted"] == "auto-generated"


def test_a_text_message_goes_to_a_mobile_only(story: Story) -> None:
    sent = story.texts.bodies("/send")[0]
    assert {one["to"] for one in story.texts.bodies("/send")} == {f"+861380013800{n}" for n in (1, 2, 3)}
    assert sent["to"] == "+8613800138001" and "您的货物已发出" in sent["text"] and sent["ref"].startswith("dt-")
    assert story.texts.headers[0]["authorization"] == "Bearer tk"


def test_without_an_address_a_person_is_asked_and_then_it_is_told(story: Story) -> None:
    assert story.counts["without address"] == 2  # nobody has neither, smith no mobile
    assert len(story.mails("nobody")) == 1
    assert any("has no mobile number" in one["reason"] for one in story.items())


def test_case_and_return_are_told_step_by_step_and_satisfaction_is_asked_once(story: Story) -> None:
    case = story.crm.get("cases", story.cases["li.na"])
    (rma,) = story.company.in_crm(story.customers["li.na"], "returns")
    told = [one.partition("（")[0] for one in story.subjects("li.na")]
    assert told == [
        "您的货物已发出",
        "已收到您的来信：轴承有异响",
        f"已同意退货 {rma['erp_number']}",
        "已处理：轴承有异响",
        "您对我们的服务满意吗？轴承有异响",
    ]
    assert case is not None and case["number"] in story.mails("li.na")[1].get_content()
    assert "更换轴承" in story.mails("li.na")[3].get_content()
    assert "/p/rate/" in story.mails("li.na")[4].get_content()
    assert case["survey"] == "asked" and case["survey_asked_at"]


def test_the_group_is_told_by_its_robot_too(story: Story) -> None:
    (told,) = story.texts.bodies("/cgi-bin/webhook/send")
    assert "更换轴承" in told["text"]["content"]


def test_a_lost_answer_asks_a_person_and_sends_nothing_again(story: Story) -> None:
    assert len(story.mails("lost")) == 1
    assert [one["cause"] for one in story.items() if "lost@kunde.example" in one["reason"]].count(
        "outcome unknown"
    ) == 1


def test_a_refused_address_is_shown_with_what_the_server_says(story: Story) -> None:
    (item,) = [one for one in story.items() if one["cause"] == "refused"]
    assert "550 no such user" in item["reason"] and "correct the address" in item["remedy"]


def test_by_choice_a_lost_mail_is_sent_again_under_the_same_name(story: Story) -> None:
    story.company.pair.configure(connections={"post": {"unknown": "again"}})
    (item,) = [one for one in story.items() if one["cause"] == "outcome unknown"]
    work.retry(story.company.pair.engine, WANG, item["id"])
    story.company.settle()
    assert len({str(one["Message-ID"]) for one in story.mails("lost")}) == 1 and len(story.mails("lost")) == 2
    assert not [one for one in story.items() if one["cause"] == "outcome unknown"]


def test_each_channel_has_its_own_beginning(story: Story) -> None:
    """Switched on later, it tells what happens from then on; a pilot reaches those it names, and the night nobody."""
    story.office.answers.clear()
    told = {**EVENTS, "delivered": ["mail"], "case_closed": ["mail"]}
    before = len(story.office.mails)
    story.company.pair.configure(flows=notices(told, only=["@kunde.example"], quiet="00:00-23:59"))
    story.company.settle()
    assert len(story.office.mails) == before
    story.company.pair.advance(60)
    story.crm.desk.close_case(story.cases["past"])
    story.company.settle()
    assert len(story.office.mails) == before
    story.company.pair.configure(flows=notices(told, only=["@kunde.example"], quiet="00:00-00:01"))
    story.crm.desk.change_case(story.cases["past"], resolution="已解释")
    story.company.pair.advance(86400 / 2)
    story.company.settle()
    assert [one.partition("：")[0] for one in story.subjects("past")] == ["已结束", "您对我们的服务满意吗？旧工单"]


def test_who_is_outside_a_pilot_is_never_told(story: Story) -> None:
    story.company.pair.configure(flows=notices(only=["somebody@else.example"], quiet=None))
    story.case("smith", "Noise")
    story.company.settle()
    story.company.pair.configure(flows=notices(only=[]))
    story.crm.desk.change_case(story.cases["smith"], priority="high")
    story.company.settle()
    assert len(story.mails("smith")) == 1


def test_what_was_told_stands_in_the_journal(story: Story) -> None:
    at = ("--config", story.company.pair.folder / "datong.yaml")
    told = datong(*at, "explain", "post", str(story.mails("li.na")[0]["Message-ID"]).strip("<>"), "--kind", "notice")
    assert told.status == 0 and "li.na@kunde.example" in told.out and "mail_sent" in told.out, told.err
