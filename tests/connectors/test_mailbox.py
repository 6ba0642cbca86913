"""The mailbox connector on a real IMAP server: everything is read once, in whatever state it comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from datong.base.errors import AccessDenied, TryLater
from datong.connectors.mailbox import Mailbox, MailboxSettings
from datong.connectors.mailbox.mail import id_of, parsed, read_mail, stripped
from datong.kit import Missing, WireRecord
from tests.connectors.mail_server import MailServer, mail

PICTURE = b"\xff\xd8\xff\xe0 not really a picture \x00\x01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture
def inbox(server: MailServer) -> MailServer:
    server.clear()
    return server


def read(connector: Mailbox, since: str | None = None) -> tuple[list[WireRecord], str | None]:
    pages = list(connector.read(connector.kinds["request"], since))
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    return [one for page in pages for one in page.records], pages[-1].cursor


def values(raw: bytes, **more: Any) -> dict[str, Any]:
    return read_mail(raw, None, **{"longest": 10_000, "ours": frozenset(), "cut": False, **more})


# on the server -----------------------------------------------------------------------------------------------------


def test_a_mail_with_a_file_is_read_and_stays_unread(inbox: MailServer) -> None:
    sent = mail("收到的轴承运转时有异响，见照片。", key="1@changjiang.example")
    sent.add_attachment(PICTURE, maintype="image", subtype="jpeg", filename="异响 照片.jpg")
    inbox.post(sent)
    connector = inbox.connector()
    ((one,), _) = read(connector)
    reading = connector.kinds["request"].map.read(one.data)
    assert not reading.bad
    assert reading.values["sender"] == "li.na@changjiang.example"
    assert reading.values["sender_name"] == "李娜"
    assert reading.values["subject"] == "轴承有异响"
    assert reading.values["text"] == "收到的轴承运转时有异响，见照片。"
    assert reading.values["thread"] == "mail:1@changjiang.example"
    (file,) = reading.items["attachments"]
    assert (file.values["name"], file.values["media_type"], file.values["size"]) == (
        "异响 照片.jpg",
        "image/jpeg",
        str(len(PICTURE)),
    )
    assert inbox.seen() == 0


def test_reading_goes_on_after_any_page_and_gives_nothing_twice(inbox: MailServer) -> None:
    connector = inbox.connector(page_size=2)
    _, start = read(connector)
    inbox.post(*(mail(f"第{n}封", key=f"p{n}@a.example") for n in range(5)))
    pages = list(connector.read(connector.kinds["request"], start))
    assert [len(page.records) for page in pages] == [2, 2, 1]
    rest, end = read(connector, pages[0].cursor)
    assert [one.data["text"] for one in rest] == ["第2封", "第3封", "第4封"]
    assert read(connector, end) == ([], end)


def test_a_folder_numbered_anew_is_read_again_under_the_same_names(inbox: MailServer) -> None:
    inbox.post(mail("你好", key="u1@a.example"), mail("没有编号"))
    connector = inbox.connector()
    first, cursor = read(connector)
    assert cursor is not None
    again, _ = read(connector, f"9{cursor}")
    assert [one.id for one in again] == [one.id for one in first]
    assert set(connector.ids(connector.kinds["request"])) == {one.id for one in first}


def test_what_left_the_folder_is_no_delete(inbox: MailServer) -> None:
    inbox.post(mail("有编号", key="g1@a.example"), mail("没有编号"))
    connector = inbox.connector()
    spec = connector.kinds["request"]
    both, _ = read(connector)
    got = {one.id: one for one in connector.get(spec, [one.id for one in both])}
    assert {id: one.data for id, one in got.items() if isinstance(one, WireRecord)} == {
        one.id: one.data for one in both
    }
    inbox.clear()
    assert list(connector.get(spec, [one.id for one in both])) == [Missing(one.id, "out_of_scope") for one in both]


def test_a_forged_message_id_is_another_mail(inbox: MailServer) -> None:
    inbox.post(mail("真的", key="same@a.example"), mail("假的", key="same@a.example", sender="evil@b.example"))
    connector = inbox.connector()
    found, _ = read(connector)
    assert len({one.id for one in found}) == 2
    looked = list(connector.find(connector.kinds["request"], "message_id", ["same@a.example"]))
    assert {one.data["text"] for one in looked} == {"真的", "假的"}


def test_a_large_mail_is_read_as_far_as_the_limit(inbox: MailServer) -> None:
    large = mail("请看附件", key="big@a.example")
    large.add_attachment(b"x" * 40_000, maintype="application", subtype="zip", filename="日志.zip")
    inbox.post(large)
    ((one,), _) = read(inbox.connector(most_bytes=10_000))
    assert one.data["text"] == "请看附件"
    assert "larger than the limit" in one.data["unread"]


def test_who_may_not_in_and_what_does_not_answer(server: MailServer, tmp_path: Path) -> None:
    with pytest.raises(AccessDenied, match="does not let service@"):
        server.connector(password="falsch").check()
    with pytest.raises(AccessDenied, match="does not open the folder"):
        server.connector(folder="客服").check()
    with pytest.raises(AccessDenied, match="not trusted"):
        server.connector(trust=None).check()
    with pytest.raises(TryLater, match="does not answer"):
        server.connector(port=1).check()
    assert server.connector().check().user == "service@datong.example"


def test_no_password_travels_in_clear(server: MailServer) -> None:
    with pytest.raises(ValueError, match="in clear"):
        MailboxSettings.model_validate(server.settings(host="imap.example.com", encryption="none"))


# a mail, however it is made ------------------------------------------------------------------------------------------


def test_raw_gbk_in_headers_and_text() -> None:
    head = "From: 王伟 <wang@a.example>\r\nSubject: 镕基轴承\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n"
    told = values(f"{head}镕字不在GB2312".encode("gb18030"))
    assert (told["sender_name"], told["subject"], told["text"]) == ("王伟", "镕基轴承", "镕字不在GB2312")


def test_an_encoded_word_cut_in_the_middle_of_a_character() -> None:
    from base64 import b64encode

    raw = "轴承异响".encode("gb18030")
    words = "\r\n ".join(f"=?gb2312?B?{b64encode(part).decode()}?=" for part in (raw[:3], raw[3:]))
    assert values(f"Subject: {words}\r\n\r\n".encode())["subject"] == "轴承异响"


def test_html_becomes_text_without_its_scripts() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><p>你好</p><script>alert(1)</script>订单&nbsp;SO-1<br>谢谢</body>"
    )
    assert stripped(html).split() == ["你好", "订单", "SO-1", "谢谢"]
    assert values(b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())["text"].startswith("你好")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ("Auto-Submitted: auto-replied", "an automatic answer"),
        ("Auto-Submitted: no", None),
        ("X-Autoreply: yes", "an automatic answer"),
        ("Precedence: bulk", "a mailing"),
        ("List-Id: <news.example>", "a mailing"),
        ("Return-Path: <>", "a message that came back"),
        ("From: MAILER-DAEMON@mx.example", "a message that came back"),
        ("Content-Type: multipart/report; boundary=x", "a message that came back"),
        ("From: 客服 <Service@datong.example>", "a notice of ours"),
        ("X-Datong-Notice: 7", "a notice of ours"),
        ("From: li@a.example", None),
    ],
)
def test_what_no_customer_wrote(headers: str, why: str | None) -> None:
    told = values(f"{headers}\r\n\r\n您好".encode(), ours=frozenset({"service@datong.example"}))
    assert told["automatic"] == why


def test_a_thread_is_its_first_message() -> None:
    assert values(b"Message-ID: <a@x>\r\n\r\n")["thread"] == "mail:a@x"
    assert values(b"Message-ID: <b@x>\r\nIn-Reply-To: <a@x>\r\n\r\n")["thread"] == "mail:a@x"
    both = b"Message-ID: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x>\r\n\r\n"
    assert values(both)["thread"] == "mail:a@x"


def test_no_broken_mail_stops_the_reading() -> None:
    whole = mail("收到的轴承有异响", key="r@a.example", References="<a@x> <b@x>")
    whole.add_alternative("<p>收到的轴承有异响</p>", subtype="html")
    whole.add_attachment(PICTURE, maintype="image", subtype="jpeg", filename="照片.jpg")
    inner = mail("里面的信", key="i@a.example")
    whole.add_attachment(inner)
    good = whole.as_bytes()
    assert [one["media_type"] for one in values(good)["attachments"]] == ["image/jpeg", "message/rfc822"]
    random = Random(7)
    for _ in range(400):
        raw = bytearray(good)
        for _ in range(random.randint(1, 12)):
            place = random.randrange(len(raw) + 1)
            act = random.randrange(4)
            if act == 0:
                raw[place : place + 1] = bytes([random.randrange(256)])
            elif act == 1:
                del raw[place : place + random.randint(1, 60)]
            elif act == 2:
                raw[place:place] = random.choice(
                    (b"=?utf-8?B?=?=", b"\x00", b"\r\n\r\n", b'";=', b"charset=x-\xff", b"<![")
                )
            else:
                raw = raw[: max(1, place)]
        told = values(bytes(raw))
        assert id_of(parsed(bytes(raw)))
        assert told["thread"].startswith("mail:")
        for one in ("subject", "text", "sender_name"):
            assert told[one] is None or told[one].encode("utf8") is not None
