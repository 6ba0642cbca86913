"""What customers do on the public pages, and what chat systems report: from the form to the case, and back."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from datong.base import json
from datong.sandbox.fields import Row
from tests.connectors.letter_servers import PostOffice, post_office
from tests.scenarios.documents import BOOKS, SMALL, Company, line, opened
from tests.web.client import browser, hidden

CARRIED = ("orders", "cases", "returns", "case_to_return", "contact", "articles", *BOOKS)
ADDED = ("requests", "request_to_case", "notices", "shipment_notices", "case_notices", "survey_notices")
TELL = {"shipped": ["mail"], "case_received": ["mail"], "survey": ["mail"]}
PICTURE = b"\xff\xd8\xff\xe0 not really a picture"
SECRET = "0123456789abcdef"


class Story:
    def __init__(self, company: Company, office: PostOffice) -> None:
        self.company, self.office, self.crm = company, office, company.crm
        self.customer = ""

    def configure(self, **intake: Any) -> None:
        webhook = {
            "secret": "${file:desk.secret}",
            "channel": "chat",
            "parts": {"id": "msg.id", "thread": "msg.room", "phone": "from.tel", "text": "msg.text"},
        }
        form = {"files": 2, "file_bytes": 10_000, "per_hour": 4}
        self.company.pair.configure(
            connections={
                "post": {"system": "smtp", "role": "desk", **self.office.settings()},
                "desk": {"system": "inbox", "role": "desk", "form": form, "webhook": webhook},
            },
            flows={
                **{name: {"on": True} for name in ADDED},
                "notices": {"on": True, "settings": {"tell": {"default": TELL}}},
                "request_to_case": {"on": True, "settings": intake},
            },
            service={"public_url": "https://service.datong.example"},
        )
        self.company.flows = (*CARRIED, *ADDED, "customer_master", "product_catalogue")

    def browse(self) -> Any:
        assert self.company.pair.app is not None
        return browser(self.company.pair.app)

    def cases(self, subject: str) -> list[Row]:
        return [row for row in self.crm.rows("cases") if row["subject"] == subject]

    def case(self, subject: str) -> Row:
        (found,) = self.cases(subject)
        return found

    def link(self, subject: str) -> str:
        """The path of the link in the last mail with that subject."""
        mail = [one for one in self.office.mails if subject in str(one["Subject"])][-1]
        found = re.search(r"https://service\.datong\.example(/p/\S+)", mail.get_content())
        assert found is not None
        return found[1]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "desk.secret").write_text(SECRET, encoding="utf8")
    with post_office() as office:
        for company in opened(folder, 2, CARRIED):
            told = Story(company, office)
            told.customer = company.customer()
            person = {"account_id": told.customer, "name": "李娜", "email": "li.na@kunde.example"}
            person["id"] = told.crm.create("contacts", {**person, "mobile": "+8613800138001"})["id"]
            desk = told.crm.desk
            desk.make_article(
                "轴承异响怎么办", [SMALL], body="先检查润滑脂。\n再检查安装面。", public=True, title_en="Noise"
            )
            desk.make_article("内部：返修流程", [SMALL], body="只给同事看。")
            company.released(told.customer, [line(SMALL, 2)], contact_id=person["id"])
            told.configure()
            company.settle()
            company.pair.advance(60)
            yield told


def send(client: TestClient, path: str = "/p/write/desk", files: Any = (), **fields: str) -> Any:
    page = client.get(path, headers={"Accept-Language": "zh-CN"})
    assert page.status_code == 200
    told = {"ticket": hidden(page.text, "ticket"), **fields}
    if 'name="about"' in page.text:
        told["about"] = hidden(page.text, "about")
    parts = [("files", one) for one in files]
    return client.post("/p/write/desk?lang=zh", data=told, files=parts or None, follow_redirects=False)


def test_a_message_of_the_form_becomes_one_case_with_its_file(story: Story) -> None:
    order = story.company.erp_order(story.customer)["docNo"]
    with story.browse() as client:
        page = client.get("/p/write/desk")
        told = {"ticket": hidden(page.text, "ticket"), "email": "Li.Na@kunde.example", "order": order}
        told |= {"subject": "表单：异响", "text": f"{SMALL}有异响"}
        files = [("files", ("照片.jpg", PICTURE, "image/jpeg"))]
        answers = [client.post("/p/write/desk", data=told, files=files, follow_redirects=False) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 303]  # the second click is the same message
    story.company.settle()
    case = story.case("表单：异响")
    assert (case["account_id"], case["channel"]) == (story.customer, "web")
    assert case["order_id"] == story.company.crm_order(story.customer)["id"]
    (kept,) = case["files"]
    assert (kept["name"], kept["size"]) == ("照片.jpg", len(PICTURE))
    assert story.crm.files[kept["digest"]] == PICTURE


def test_the_form_takes_no_programs_no_floods_and_nothing_too_large(story: Story) -> None:
    with story.browse() as client:
        assert send(client, email="a@b.example", text="spam", website="x").status_code == 303
        assert send(client, text="kein Absender").status_code == 422
        assert send(client, email="nobody", text="x").status_code == 422
        assert client.post("/p/write/desk", data={"ticket": "made.up", "text": "x"}).status_code == 403
        page = client.get("/p/write/desk").text
        forged = {"ticket": hidden(page, "ticket"), "email": "a@b.example", "text": "x"}
        elsewhere = client.post("/p/write/desk", data=forged, headers={"Sec-Fetch-Site": "cross-site"})
        assert elsewhere.status_code == 403
        large = send(client, email="a@b.example", text="x", files=[("f.bin", b"x" * 10_001, "text/plain")])
        assert large.status_code in (400, 413)
        huge = send(client, email="a@b.example", text="x", files=[("f.bin", b"x" * 300_000, "text/plain")])
        assert huge.status_code == 413
        sent = [send(client, email="flood@b.example", text=f"{n}").status_code for n in range(6)]
    assert sent == [303] * 4 + [429] * 2
    before = len(story.crm.rows("cases"))
    story.company.settle()
    assert len(story.crm.rows("cases")) == before + 4
    assert not story.cases("spam")


def hook(client: TestClient, story: Story, body: Row, *, age: int = 0, secret: str = SECRET) -> Any:
    raw = json.encode(body)
    moment = str(int(story.company.pair.clock.now().timestamp()) - age)
    told = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    return client.post("/hooks/desk", content=raw, headers={"X-Timestamp": moment, "X-Signature": f"sha256={told}"})


def test_a_chat_is_one_case_and_its_sender_is_known_by_telephone(story: Story) -> None:
    def said(number: int, text: str) -> Row:
        return {"msg": {"id": number, "room": "r-1", "text": text}, "from": {"tel": "13800138001"}}

    with story.browse() as client:
        assert hook(client, story, said(1, "聊天：货呢")).status_code == 202
        assert hook(client, story, said(1, "聊天：货呢")).status_code == 202
        assert hook(client, story, said(2, "在吗")).status_code == 202
        assert hook(client, story, said(3, "假的"), secret="another secret!!").status_code == 401
        assert hook(client, story, said(4, "旧的"), age=301).status_code == 401
        assert hook(client, story, {"msg": {"id": 5}}).status_code == 400
    story.company.settle()
    case = story.case("聊天：货呢")
    assert (case["channel"], case["account_id"]) == ("chat", story.customer)
    assert [one["text"] for one in case["messages"] if one["direction"] == "in"] == ["聊天：货呢", "在吗"]
    assert not story.cases("假的") and not story.cases("旧的")


def test_a_message_to_a_closed_case_opens_it_again(story: Story) -> None:
    key = story.case("聊天：货呢")["id"]
    story.crm.desk.close_case(key)
    story.company.settle()
    story.company.pair.advance(60)
    with story.browse() as client:
        body = {"msg": {"id": 6, "room": "r-1", "text": "还没到"}, "from": {"tel": "13800138001"}}
        assert hook(client, story, body).status_code == 202
    story.company.settle()
    case = story.case("聊天：货呢")
    assert (case["state"], case["closed_at"]) == ("open", None)
    assert [one["text"] for one in case["messages"] if one["direction"] == "in"][-1] == "还没到"
    story.crm.desk.close_case(key)
    story.company.settle()
    assert story.case("聊天：货呢")["state"] == "closed"  # one answer opens it once


def test_by_setting_it_makes_a_case_of_its_own(story: Story) -> None:
    story.configure(closed="follow_up")
    story.company.pair.advance(60)
    with story.browse() as client:
        for number, text in ((7, "又坏了"), (8, "请回电")):
            body = {"msg": {"id": number, "room": "r-1", "text": text}, "from": {"tel": "13800138001"}}
            assert hook(client, story, body).status_code == 202
    story.company.settle()
    assert story.case("聊天：货呢")["state"] == "closed"
    assert [one["text"] for one in story.case("又坏了")["messages"] if one["direction"] == "in"] == ["又坏了", "请回电"]
    assert not story.cases("请回电")
    story.configure()


def test_the_link_shows_how_the_document_stands_and_nothing_of_people(story: Story) -> None:
    story.company.erp.act("ship", order=story.company.erp_order(story.customer)["id"])
    story.company.settle()
    with story.browse() as client:
        path = story.link("您的货物已发出")
        page = client.get(path)
        assert page.status_code == 200 and "已发出" in page.text and f"{SMALL} 小部件" in page.text
        assert "shipped" in client.get(f"{path}?lang=en").text
        for personal in ("李娜", "kunde.example", "138001", "有限公司", "12.50"):
            assert personal not in page.text
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
        assert not re.search(r'(src|href)="(https?:)?//', page.text) and "<script" not in page.text
        altered = [path[:-1] + ("A" if path[-1] != "A" else "B"), "/p/see/x", path.replace("/see/", "/rate/")]
        nothing = [client.get(one) for one in altered]
    assert {one.status_code for one in nothing} == {404}
    assert len({re.sub(r'href="[^"]*"', "", one.text) for one in nothing}) == 1


def test_a_customer_answers_on_the_page_of_his_case(story: Story) -> None:
    path = story.link("表单：异响")
    with story.browse() as client:
        page = client.get(path).text
        assert "CS-" in page and "异响" not in page
        about = re.search(r'href="(/p/write/desk[^"]*about=[^"]*)"', page)
        assert about is not None
        story.company.pair.advance(3600)
        assert send(client, about[1].replace("&amp;", "&"), text="补充：只在启动时响").status_code == 303
    story.company.settle()
    said = [one["text"] for one in story.case("表单：异响")["messages"] if one["direction"] == "in"]
    assert said[-1] == "补充：只在启动时响"


def test_one_click_says_how_content_the_customer_was(story: Story) -> None:
    story.crm.desk.close_case(story.case("表单：异响")["id"])
    story.company.settle()
    with story.browse() as client:
        path = story.link("您对我们的服务满意吗？表单：异响")
        assert client.get(path).status_code == 200
        story.company.settle()
        assert story.case("表单：异响")["survey"] == "asked"  # looking at it is no answer
        assert client.post(path, data={"score": "9"}).status_code == 422
        assert client.post(path, data={"score": "4", "remark": "很快"}, follow_redirects=False).status_code == 303
        assert client.post(path, data={"score": "1"}, follow_redirects=False).status_code == 303
        story.company.settle()
        assert "已经收到" in client.get(path).text
    case = story.case("表单：异响")
    assert (case["survey"], case["score"], case["remark"]) == ("answered", "4", "很快")
    assert sum("满意吗？表单：异响" in str(one["Subject"]) for one in story.office.mails) == 1
    assert case["state"] == "closed"  # an answer to our question opens nothing


def test_a_link_runs_out_and_can_be_taken_back(story: Story) -> None:
    from tests.cli.conftest import datong

    at = ("--config", story.company.pair.folder / "datong.yaml")
    order = story.company.crm_order(story.customer)["id"]
    made = datong(*at, "signed-link", "make", "crm", order, "--kind", "order", "--days", "2")
    assert made.status == 0, made.err
    found = re.search(r"/p/see/\S+", made.out)
    assert found is not None
    with story.browse() as client:
        page = client.get(found[0])
        assert page.status_code == 200 and "订单" in page.text and "SH-A-" in page.text
        assert datong(*at, "signed-link", "revoke", "crm", order, "--kind", "order").status == 0
        assert client.get(found[0]).status_code == 404
        path = story.link("您的货物已发出")
        assert client.get(path).status_code == 200
        story.company.pair.advance(91 * 86400)
        assert client.get(path).status_code == 404


def test_articles_for_customers_are_found_and_the_others_are_not(story: Story) -> None:
    with story.browse() as client:
        assert "轴承异响怎么办" in client.get("/p/?q=异响&lang=zh").text
        home = client.get("/p/", headers={"Accept-Language": "en-GB,en"}).text
        assert "Noise" in home and "内部" not in home and 'lang="en"' in home
        number = next(row["number"] for row in story.crm.rows("articles") if row["title"] == "轴承异响怎么办")
        hidden_one = next(row["number"] for row in story.crm.rows("articles") if row["title"] != "轴承异响怎么办")
        assert "再检查安装面" in client.get(f"/p/article/{number}?lang=zh").text
        assert client.get(f"/p/article/{hidden_one}").status_code == 404
        assert "<b>" not in client.get("/p/?q=<b>x</b>").text
