"""Keeping both sides in agreement while the visitor edits either, until Ctrl-C."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

from datong.cli.demo.feed import Feed
from datong.cli.demo.stage import SECRET, Stage
from datong.cli.demo.voice import act, say
from datong.operations import Actor, sync

EVERY = 2.0


def keep_in_agreement(stage: Stage, port: int) -> None:
    """With webhooks where the service is installed, else by looking every two seconds."""
    act(5, "Now edit either side", "现在请在任一系统中修改数据")
    _what_to_try(stage)
    feed = Feed(stage.app.store)
    try:
        from datong.web.service import serve
    except ImportError:
        _poll(stage, feed)
        return
    port = port or _free_port()
    _subscribe(stage, port)
    stop = threading.Event()
    teller = threading.Thread(target=_tell, args=(feed, stop), name="demo-feed", daemon=True)
    teller.start()
    try:
        serve(stage.app, "127.0.0.1", port, Actor("datong", ("admin",)))
    finally:
        stop.set()
        teller.join(5)


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


def _poll(stage: Stage, feed: Feed) -> None:
    engine = stage.engine()
    stop = threading.Event()
    with suppress(KeyboardInterrupt):
        while not stop.wait(EVERY):
            result = sync.sync(engine, stage.actor)
            for problem in result.problems:
                say(f"! {problem}")
            feed.tell()


def _tell(feed: Feed, stop: threading.Event) -> None:
    while not stop.wait(0.5):
        feed.tell()


def _subscribe(stage: Stage, port: int) -> None:
    """Both simulated systems tell us what changes, as an administrator would set them up to."""
    import httpx2

    crm, erp = stage.sandbox.crm, stage.sandbox.erp
    hooks = f"http://127.0.0.1:{port}/hooks"
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        (
            f"{crm.url}/api/webhooks",
            {"Authorization": f"Bearer {crm.token}"},
            {"url": f"{hooks}/crm", "secret": SECRET},
        ),
        (f"{erp.url}/v1/subscriptions", {"X-Api-Key": erp.token}, {"url": f"{hooks}/erp", "token": SECRET}),
    ]
    for url, headers, body in calls:
        httpx2.post(url, headers=headers, json=body, trust_env=False).raise_for_status()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
