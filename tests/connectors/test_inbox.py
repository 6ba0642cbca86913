"""The inbox: what is left with it is there before anybody is thanked, once, and read in the order in which it came."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from datong.base import json
from datong.base.clock import ManualClock
from datong.base.errors import AccessDenied, BadAnswer, RequestRefused
from datong.connectors.inbox import Inbox, InboxSettings
from datong.kit import Context, Files, Incoming, Missing, Posted
from datong.kit.budget import Budget

SECRET = "0123456789abcdef"
HOOK = {"secret": SECRET, "channel": "phone", "parts": {"id": "call.id", "phone": "call.from", "text": "call.notes"}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def opened(folder: Path, clock: ManualClock, **more: Any) -> Inbox:
    settings = InboxSettings.model_validate({"webhook": HOOK, **more}, context={"folder": folder})
    return Inbox(settings, Context("desk", clock, Budget(clock), {}, Files(folder / "files")))


def incoming(clock: ManualClock, body: Any, *, secret: str = SECRET, age: float = 0, **headers: str) -> Incoming:
    raw = body if isinstance(body, bytes) else json.encode(body)
    moment = str(int(clock.now().timestamp() - age))
    signature = hmac.new(secret.encode(), moment.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return Incoming({"x-timestamp": moment, "x-signature": signature, **headers}, raw, clock.now())


def ids(box: Inbox, since: str | None = None) -> tuple[list[str], str | None]:
    pages = list(box.read(box.kinds["request"], since))
    return [str(one.data["message_id"]) for page in pages for one in page.records], pages[-1].cursor


def post(box: Inbox, id: str, **more: Any) -> str:
    return box.take(Posted(id=id, channel="web", received=box.context.clock.now(), **more)).id


def test_what_is_left_is_there_once_for_the_next_process(tmp_path: Path, clock: ManualClock) -> None:
    box = opened(tmp_path, clock)
    key = post(
        box, "form 1", text="有异响\x00\x1b[1m", subject="主题\r\nBcc: x", files=[("照片.jpg", "image/jpeg", b"jpg")]
    )
    assert post(box, "form 1", text="另一个") == key
    (found,) = opened(tmp_path, clock).get(box.kinds["request"], [key])
    assert not isinstance(found, Missing)
    assert (found.data["text"], found.data["subject"]) == ("有异响[1m", "主题 Bcc: x")
    (kept,) = found.data["attachments"]
    assert (kept["name"], kept["size"], Files(tmp_path / "files").get(kept["digest"])) == ("照片.jpg", 3, b"jpg")
    assert list(box.ids(box.kinds["request"])) == [key]
    assert [one.id for one in box.find(box.kinds["request"], "message_id", ["form 1", "form 2"])] == [key]
    assert isinstance(next(iter(box.get(box.kinds["request"], ["0" * 32]))), Missing)


def test_it_is_read_in_the_order_in_which_it_came(tmp_path: Path, clock: ManualClock) -> None:
    box = opened(tmp_path, clock)
    for number in range(120):
        post(box, f"{number}")
        clock.advance(timedelta(seconds=1).total_seconds())
    found, cursor = ids(box)
    assert found == [str(number) for number in range(120)]
    clock.advance(3600)
    post(box, "late")
    again, _ = ids(box, cursor)
    assert again[-1] == "late" and set(again) - {"late"} <= {str(number) for number in range(58, 120)}
    assert ids(opened(tmp_path / "other", clock))[0] == []


def test_a_webhook_is_a_message_and_the_same_once_more_is_the_same(tmp_path: Path, clock: ManualClock) -> None:
    box = opened(tmp_path, clock)
    body = {"call": {"id": 7, "from": "13800138001", "notes": "催货\n订单 SO-1"}}
    (hint,) = box.hints(incoming(clock, body))
    clock.advance(200)
    assert [one.id for one in box.hints(incoming(clock, body))] == [hint.id]
    (found,) = box.get(box.kinds["request"], [hint.id])
    assert not isinstance(found, Missing)
    told = {name: found.data[name] for name in ("channel", "phone", "subject", "text")}
    assert told == {"channel": "phone", "phone": "13800138001", "subject": "催货", "text": "催货\n订单 SO-1"}


@pytest.mark.parametrize(
    ("how", "body", "error"),
    [
        ({"secret": "another secret!!"}, {"call": {"notes": "x"}}, AccessDenied),
        ({"age": 301}, {"call": {"notes": "x"}}, AccessDenied),
        ({"age": -301}, {"call": {"notes": "x"}}, AccessDenied),
        ({"x-timestamp": "0"}, {"call": {"notes": "x"}}, AccessDenied),
        ({"x-signature": "ü"}, {"call": {"notes": "x"}}, AccessDenied),
        ({}, b"no json", BadAnswer),
        ({}, [1, 2], BadAnswer),
        ({}, {"call": {"id": 1}}, BadAnswer),
    ],
)
def test_what_is_not_signed_or_says_nothing_is_no_message(
    tmp_path: Path, clock: ManualClock, how: dict[str, Any], body: Any, error: type[Exception]
) -> None:
    box = opened(tmp_path, clock)
    with pytest.raises(error):
        box.hints(incoming(clock, body, **how))
    assert ids(box)[0] == []


def test_without_a_description_no_webhook_is_taken(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(RequestRefused):
        opened(tmp_path, clock, webhook=None).hints(incoming(clock, {}))
    for wrong in ({**HOOK, "parts": {"txt": "x"}}, {**HOOK, "parts": {"id": "x"}}, {**HOOK, "secret": "short"}):
        with pytest.raises(ValidationError):
            opened(tmp_path, clock, webhook=wrong)
