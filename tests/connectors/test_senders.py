"""What smtp, sms and wecom do with one notice: what leaves, and what becomes of every answer there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from datong.base.clock import ManualClock, to_text
from datong.base.errors import AccessDenied, OutcomeUnknown, RateLimited, TryLater
from datong.connectors.sms import Sms, SmsSettings
from datong.connectors.smtp import Smtp, SmtpSettings
from datong.connectors.wecom import WeCom, WeComSettings
from datong.kit import Answer, Connector, Context, Refused, Saved, Write
from datong.kit.budget import Budget
from tests.connectors.letter_servers import Gateway, PostOffice, gateway, post_office

CLOCK = ManualClock()
KEY = "dt-abc-7"


def context() -> Context:
    return Context("desk", CLOCK, Budget(CLOCK))


def sent(connector: Connector[Any], **values: Any) -> Answer:
    (answer,) = connector.write(connector.kinds["notice"], [Write(1, "create", key=KEY, values=values)])
    return answer


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with post_office("geheim") as running:
        yield running


@pytest.fixture
def post(office: PostOffice) -> Smtp:
    office.mails.clear()
    office.answers.clear()
    return smtp(office)


def smtp(office: PostOffice, **more: Any) -> Smtp:
    told = {"login": "service", "password": "geheim", "sender_name": "大同服务", **more}
    return Smtp(SmtpSettings.model_validate(office.settings(**told)), context())


MAIL = {"to": "li.na@kunde.example", "subject": "您的货物已发出", "text": "您好：\n.\n货物已发出。"}


def test_a_mail_bears_our_key_and_arrives_as_it_was_written(post: Smtp, office: PostOffice) -> None:
    answer = sent(post, **MAIL, thread="c1@kunde.example", language="zh")
    assert isinstance(answer, Saved) and answer.id == f"{KEY}@datong.example" and answer.record is not None
    assert answer.record.data["sent_at"] == to_text(CLOCK.now())
    (mail,) = office.mails
    assert mail["Message-ID"] == f"<{KEY}@datong.example>"
    assert mail["In-Reply-To"] == mail["References"] == "<c1@kunde.example>"
    assert (str(mail["From"]), str(mail["To"])) == ("大同服务 <service@datong.example>", "li.na@kunde.example")
    assert mail.get_content().splitlines() == ["您好：", ".", "货物已发出。"]


def test_nothing_can_be_smuggled_into_a_mail(post: Smtp, office: PostOffice) -> None:
    for to in ("a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "no address"):
        assert isinstance(sent(post, **{**MAIL, "to": to}), Refused)
    assert isinstance(sent(post, **{**MAIL, "subject": "a\r\nBcc: c@d.example"}), Refused)
    assert isinstance(sent(post, **MAIL, thread="x>\r\nBcc: <c@d.example"), Saved)
    assert [one["Bcc"] for one in office.mails] == [None]


def test_what_the_mail_server_says_has_its_consequence(post: Smtp, office: PostOffice) -> None:
    office.answers = {"gone@kunde.example": "550 no such user", "grey@kunde.example": "450 later"}
    refused = sent(post, **{**MAIL, "to": "gone@kunde.example"})
    assert isinstance(refused, Refused) and "550 no such user" in refused.reason
    with pytest.raises(TryLater, match="450 later"):
        sent(post, **{**MAIL, "to": "grey@kunde.example"})
    office.silent = 1
    with pytest.raises(OutcomeUnknown):
        sent(post, **MAIL)
    with pytest.raises(AccessDenied, match="does not let service in"):
        sent(smtp(office, password="falsch"), **MAIL)
    with pytest.raises(TryLater):
        sent(smtp(office, port=1), **MAIL)
    late = sent(post, **MAIL, expires=to_text(CLOCK.now() - timedelta(seconds=1)))
    assert isinstance(late, Refused) and late.code == "late"


def test_no_mail_travels_in_clear_to_another_machine() -> None:
    with pytest.raises(ValidationError, match="in clear"):
        SmtpSettings(host="smtp.example.com", encryption="none", sender="a@b.example")


def test_a_lost_answer_is_asked_unless_it_is_chosen_otherwise(office: PostOffice) -> None:
    assert smtp(office).kinds["notice"].create == "ask"
    assert smtp(office, unknown="again").kinds["notice"].create == "by_key"


# SMS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def line() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


def sms(line: Gateway, **more: Any) -> Sms:
    told = {
        "url": line.url,
        "secrets": {"key": "k-1"},
        "ask": {
            "path": "/v1/{{ national }}",
            "params": {"sign": "大同"},
            "headers": {"X-Key": "{{ secrets.key }}"},
            "body": {"template": "{{ code }}", "args": ["{{ number }}", "{{ link }}"], "ref": "{{ key }}", "n": 1},
        },
        "answer": {"code": "result.code", "reason": "result.msg", "id": "id", "later": ["9"], "access": ["7"]},
        "codes": {"shipped": "T1", "en shipped": "T2"},
        **more,
    }
    return Sms(SmsSettings.model_validate(told), context())


TEXT = {"phone": "+8613800138001", "text": "已发出", "event": "shipped", "language": "zh", "number": "SH-1"}


def test_a_gateway_is_called_as_it_is_described(line: Gateway) -> None:
    line.answer = lambda path, body: {"result": {"code": 0}, "id": 5}
    answer = sent(sms(line), **TEXT, link="https://s.example/p/see/x")
    assert isinstance(answer, Saved) and answer.id == "5"
    assert line.calls == [
        (
            "/v1/13800138001",
            {"sign": "大同"},
            {"template": "T1", "args": ["SH-1", "https://s.example/p/see/x"], "ref": KEY, "n": 1},
        )
    ]
    assert line.headers[0]["x-key"] == "k-1"
    sent(sms(line, ask={"path": "/f", "body": {"to": "{{ phone }}"}, "form": True}), **{**TEXT, "language": "en"})
    assert line.bodies("/f") == [{"to": "+8613800138001"}]


def test_what_the_gateway_says_has_its_consequence(line: Gateway) -> None:
    line.answer = lambda path, body: {"result": {"code": "3", "msg": "空号"}}
    refused = sent(sms(line), **TEXT)
    assert isinstance(refused, Refused) and refused.reason == "3 空号" and refused.field == "phone"
    for code, error in (("9", TryLater), ("7", AccessDenied)):
        line.answer = lambda path, body, code=code: {"result": {"code": code}}
        with pytest.raises(error):
            sent(sms(line), **TEXT)
    for silent in (lambda path, body: None, lambda path, body: {}):
        line.answer = silent
        with pytest.raises(OutcomeUnknown):
            sent(sms(line), **TEXT)


def test_a_description_with_a_mistake_is_told(line: Gateway) -> None:
    with pytest.raises(ValidationError, match="'phon' is undefined"):
        sms(line, ask={"path": "/x", "body": {"to": "{{ phon }}"}})
    assert (sms(line).kinds["notice"].create, sms(line, once=True).kinds["notice"].create) == ("ask", "by_key")


# WeCom --------------------------------------------------------------------------------------------------------------


def member(line: Gateway) -> WeCom:
    told = {"url": line.url, "corpid": "ww1", "agentid": 1000002, "secret": "s"}
    return WeCom(WeComSettings.model_validate(told), context())


def test_a_member_is_told_by_the_application(line: Gateway) -> None:
    expired = [True]

    def answer(path: str, body: Any) -> Any:
        if path == "/cgi-bin/gettoken":
            return {"errcode": 0, "errmsg": "ok", "access_token": f"t{len(line.bodies(path))}", "expires_in": 7200}
        return {"errcode": 42001} if expired and expired.pop() else {"errcode": 0, "errmsg": "ok", "msgid": "m-1"}

    line.answer = answer
    connector = member(line)
    answered = sent(connector, touser="li.na", text="字" * 1000)
    assert isinstance(answered, Saved) and answered.id == "m-1"
    assert line.calls[0][1] == {"corpid": "ww1", "corpsecret": "s"}
    path, query, body = line.calls[-1]
    assert (path, query) == ("/cgi-bin/message/send", {"access_token": "t2"})
    assert (body["touser"], body["msgtype"], body["agentid"]) == ("li.na", "text", 1000002)
    assert (body["enable_duplicate_check"], body["duplicate_check_interval"]) == (1, 14400)
    assert len(body["text"]["content"].encode()) <= 2048 and body["text"]["content"].endswith("…")
    sent(connector, touser="li.na", text="x")
    assert len(line.bodies("/cgi-bin/gettoken")) == 2  # the token is kept


def test_a_group_is_told_by_its_robot(line: Gateway) -> None:
    line.answer = lambda path, body: {"errcode": 0, "errmsg": "ok"}
    robot = WeCom(WeComSettings.model_validate({"url": line.url, "robot_key": "k-9"}), context())
    answered = sent(robot, group=True, text="您的货物已发出")
    assert isinstance(answered, Saved) and answered.id == KEY
    assert line.calls == [
        ("/cgi-bin/webhook/send", {"key": "k-9"}, {"msgtype": "text", "text": {"content": "您的货物已发出"}})
    ]
    assert robot.kinds["notice"].create == "ask"


@pytest.mark.parametrize(
    ("said", "error"),
    [({"errcode": 45009}, RateLimited), ({"errcode": -1}, TryLater), ({"errcode": 60020}, AccessDenied)],
)
def test_what_wecom_says_has_its_consequence(line: Gateway, said: Any, error: type[Exception]) -> None:
    line.answer = lambda path, body: {"errcode": 0, "access_token": "t"} if path.endswith("token") else said
    with pytest.raises(error):
        sent(member(line), touser="li.na", text="x")


def test_who_is_no_member_is_refused(line: Gateway) -> None:
    line.answer = lambda path, body: {"errcode": 0, "access_token": "t", "invaliduser": "li.na"}
    refused = sent(member(line), touser="li.na", text="x")
    assert isinstance(refused, Refused) and "li.na is no member" in refused.reason


def test_a_robot_or_an_application_and_not_both() -> None:
    for told in ({}, {"robot_key": "k", "corpid": "c"}, {"corpid": "c", "agentid": 1}):
        with pytest.raises(ValidationError):
            WeComSettings.model_validate(told)
