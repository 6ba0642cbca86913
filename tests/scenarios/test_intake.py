"""What customers write, from a real mail server into the CRM: one case a thread, with customer, order and files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datong.sandbox.fields import Row
from tests.connectors.mail_server import MailServer, mail
from tests.scenarios.documents import LARGE, SMALL, Company, line, opened

FLOWS = ("requests", "request_to_case", "cases", "contact", "orders", "shipments")
PICTURE = b"\xff\xd8\xff\xe0 not really a picture"


class Story:
    def __init__(self, company: Company, server: MailServer) -> None:
        self.company = company
        self.crm = company.crm
        self.server = server
        self.customers: dict[str, str] = {}
        self.orders: dict[str, str] = {}

    def customer(self, name: str, *people: str) -> None:
        self.customers[name] = key = self.company.customer()
        for address in people:
            self.crm.create("contacts", {"account_id": key, "name": address.partition("@")[0], "email": address})

    def round(self) -> None:
        self.company.settle()

    def case(self, subject: str) -> Row:
        (found,) = [row for row in self.crm.rows("cases") if row["subject"] == subject]
        return found

    def said(self, subject: str) -> list[str]:
        return [one["text"] for one in self.case(subject)["messages"] if one["direction"] == "in"]

    def note(self, subject: str) -> str:
        (found,) = [one["text"] for one in self.case(subject)["messages"] if one["direction"] == "note"]
        return str(found)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("intake")
    with MailServer(folder) as server:
        for company in opened(folder, 4, FLOWS[2:]):
            desk = {"system": "mailbox", "role": "desk", **server.settings(password="${file:desk.password}")}
            (folder / "desk.password").write_text("geheim", encoding="utf8")
            company.pair.configure(connections={"desk": desk}, flows={name: {"on": True} for name in FLOWS[:2]})
            company.flows = (*FLOWS, "customer_master", "product_catalogue")
            yield played(Story(company, server))


def played(told: Story) -> Story:
    told.customer("changjiang", "li.na@changjiang.example", "wang@changjiang.example")
    told.customer("huanghe", "zhao@huanghe.example", "lao.zhao@qq.com")
    told.customer("taishan", "sun@group.example")
    told.customer("huashan", "qian@group.example")
    for name in ("changjiang", "huanghe"):
        told.company.released(told.customers[name], [line(SMALL, 2), line(LARGE, 1)])
    told.round()
    for name in ("changjiang", "huanghe"):
        told.orders[name] = told.company.erp_order(told.customers[name])["docNo"]
    number = told.orders["changjiang"]
    complaint = mail(f"订单{number}的{SMALL}运转时有异响，见照片。", subject="轴承有异响", key="c1@changjiang.example")
    complaint.add_attachment(PICTURE, maintype="image", subtype="jpeg", filename="照片.jpg")
    told.server.post(
        complaint,
        complaint,
        mail("什么时候发货？", subject="问一下", sender="lao.zhao@qq.com", key="q1@qq.com"),
        mail(f"我的订单是{number}", subject="别人的订单", sender="zhao@huanghe.example", key="z1@huanghe.example"),
        mail(f"{number}到哪了", subject="陌生人", sender="nobody@163.com", key="n1@163.com"),
        mail("报价", subject="集团", sender="new@group.example", key="g1@group.example"),
        mail("新同事", subject="同事", sender="xiao.chen@changjiang.example", key="k1@changjiang.example"),
        mail("我在休假", subject="自动回复：轴承", key="a1@changjiang.example", Auto_Submitted="auto-replied"),
        b"Subject: =?gb2312?B?broken\r\nFrom: li.na@changjiang.example\r\nContent-Type: multipart/mixed\r\n\r\nhalf",
    )
    told.round()
    told.crm.desk.change_case(told.case("问一下")["id"], product_id=None, account_id=told.customers["taishan"])
    told.server.post(
        mail(
            "再补充一张照片。",
            subject="Re: 轴承有异响",
            key="c2@changjiang.example",
            References="<c1@changjiang.example>",
        ),
        mail("同事也看到了。", sender="wang@changjiang.example", key="c3@x", In_Reply_To="<c1@changjiang.example>"),
        mail("后到的回复", subject="Re: 迟到", key="l2@changjiang.example", References="<l1@changjiang.example>"),
    )
    told.round()
    told.server.post(mail("先发的信", subject="迟到", key="l1@changjiang.example"))
    told.server.clear()
    told.round()
    return told


def test_a_mail_with_a_file_is_one_case_with_customer_order_and_product(story: Story) -> None:
    case = story.case("轴承有异响")
    order = story.company.crm_order(story.customers["changjiang"])
    assert case["account_id"] == story.customers["changjiang"]
    assert story.crm.get("contacts", case["contact_id"])["email"] == "li.na@changjiang.example"
    assert (case["order_id"], case["order_number"]) == (order["id"], story.orders["changjiang"])
    assert story.crm.get("products", case["product_id"])["sku"] == SMALL
    assert (case["channel"], case["state"], case["order_status"]) == ("mail", "new", order["status"])
    assert case["thread"] == "mail:c1@changjiang.example"
    assert [one["attachments"] for one in case["messages"] if one["attachments"]] == [
        f"照片.jpg (image/jpeg, {len(PICTURE)} bytes)"
    ]


def test_the_file_itself_is_handed_to_the_case(story: Story) -> None:
    (kept,) = story.case("轴承有异响")["files"]
    assert (kept["name"], kept["media_type"], kept["size"]) == ("照片.jpg", "image/jpeg", len(PICTURE))
    assert story.crm.files[kept["digest"]] == PICTURE


def test_replies_are_messages_of_the_case(story: Story) -> None:
    text = f"订单{story.orders['changjiang']}的{SMALL}运转时有异响，见照片。"
    assert sorted(story.said("轴承有异响")) == sorted([text, "再补充一张照片。", "同事也看到了。"])


def test_a_reply_that_comes_before_what_it_answers_opens_the_case(story: Story) -> None:
    assert story.said("Re: 迟到") == ["后到的回复"]
    assert "迟到" not in {row["subject"] for row in story.crm.rows("cases")}


def test_a_person_with_a_public_address_is_known_by_it_exactly(story: Story) -> None:
    assert story.note("问一下").startswith("Recognised. customer: by the sender's address")


def test_what_the_agent_corrected_stays(story: Story) -> None:
    assert story.case("问一下")["account_id"] == story.customers["taishan"]


def test_an_order_is_told_to_its_customer_only(story: Story) -> None:
    for subject, why in (("别人的订单", "it is another customer's"), ("陌生人", "the customer is not known")):
        case = story.case(subject)
        assert (case["order_id"], case["order_number"]) == (None, story.orders["changjiang"])
        assert why in story.note(subject)
    assert story.case("陌生人")["account_id"] is None


def test_a_mail_domain_is_a_customer_where_it_is_one_customers(story: Story) -> None:
    assert story.case("同事")["account_id"] == story.customers["changjiang"]
    assert story.case("集团")["account_id"] is None
    assert "several write from group.example" in story.note("集团")


def test_machines_make_no_cases_and_broken_mail_does(story: Story) -> None:
    subjects = [row["subject"] for row in story.crm.rows("cases")]
    assert not [one for one in subjects if "自动回复" in one]
    assert len(subjects) == 8
    assert any("broken" in one for one in subjects)
