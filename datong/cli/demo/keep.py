"""Keeping both sides in agreement while the visitor edits either, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from datong.cli.demo.feed import Feed
from datong.cli.demo.stage import SECRET, Stage
from datong.cli.demo.voice import act, say
from datong.operations import sync

EVERY = 2.0


def keep_in_agreement(stage: Stage, port: int) -> None:
    """With webhooks where the service can run, else by looking every two seconds. Until Ctrl-C or SIGTERM."""
    act(5, "Now edit either side", "现在请在任一系统中修改数据")
    _what_to_try(stage)
    feed = Feed(stage.app.store)
    with asked_to_stop() as stop:
        try:
            from datong.web.service import Service
        except ImportError:
            _poll(stage, feed, stop)
            return
        with Service(stage.app, port=port) as service:
            _subscribe(stage, service.url)
            while not stop.wait(0.5):
                feed.tell()
    say("stopped", "已结束")


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C or SIGTERM; the handlers are put back at the end."""
    stop = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in signals}
    try:
        yield stop
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _what_to_try(stage: Stage) -> None:
    crm, erp = stage.sandbox.crm, stage.sandbox.erp
    say(f"  CRM page {crm.url}/      ERP page {erp.url}/", "打开两个网页")
    say("  1. change a phone in the ERP: the CRM shows it a moment later", "在 ERP 改电话：CRM 随即更新")
    say(
        "  2. change a credit limit in the CRM: it is put back, the ERP decides it",
        "在 CRM 改信用额度：被恢复，由 ERP 决定",
    )
    say("  3. change one website on both sides at once: a person is asked", "两边同时改同一网站地址：请人裁决")
    say("  4. enter a customer of the ERP once more in the CRM, by tax id or name", "在 CRM 再录入一个已有客户")
    say("  5. delete a customer on one side: you are asked before the other side follows", "删除一个客户：先询问")
    say("In another terminal 在另一个终端:")
    for words in (("parked", "list"), ("review", "list"), ("conflict", "list"), ("explain", "erp", "1"), ("journal",)):
        say(f"  {stage.session.line(*words)}")
    say("What happens is told here; Ctrl-C ends it.", "以下逐条显示发生的事；Ctrl-C 结束。")


def _poll(stage: Stage, feed: Feed, stop: threading.Event) -> None:
    engine = stage.engine()
    while not stop.wait(EVERY):
        for problem in sync.sync(engine, stage.actor).problems:
            say(f"! {problem}")
        feed.tell()


def _subscribe(stage: Stage, url: str) -> None:
    """Both simulated systems tell us what changes, as an administrator would set them up to."""
    import httpx2

    crm, erp = stage.sandbox.crm, stage.sandbox.erp
    bearer, key = {"Authorization": f"Bearer {crm.token}"}, {"X-Api-Key": erp.token}
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        (f"{crm.url}/api/webhooks", bearer, {"url": f"{url}/hooks/crm", "secret": SECRET}),
        (f"{erp.url}/v1/subscriptions", key, {"url": f"{url}/hooks/erp", "token": SECRET}),
    ]
    with httpx2.Client(trust_env=False) as client:
        for address, headers, body in calls:
            client.post(address, headers=headers, json=body).raise_for_status()
