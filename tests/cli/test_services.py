"""What stays up, each as a process of its own: `sandbox`, `run`, `demo`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from datong.base import json
from datong.cli.demo import agreement
from tests.cli.conftest import Place, datong, pairs

COMMAND = [sys.executable, "-m", "datong.cli"]


@contextmanager
def running(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A command, asked to stop at the end; its exit status is then known."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf8"
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_sandbox_says_where_it_is_and_stops_when_told() -> None:
    with running("sandbox", "--seed", "3", "--size", "5") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told.keys() == {"crm", "erp"}
        for system in told.values():
            assert system["token"]
            with urllib.request.urlopen(f"{system['url']}/openapi.json", timeout=5) as answer:
                assert answer.status == 200
    assert process.returncode == 0


def test_sandbox_on_a_port_that_is_taken(synced: Place) -> None:
    answer = datong("sandbox", "--crm-port", synced.sandbox.crm.url.rpartition(":")[2])
    assert (answer.status, answer.out) == (2, "")
    assert "--crm-port" in answer.err or "ports" in answer.err


def test_run_keeps_in_agreement(fresh: Place) -> None:
    fresh.datong("sync")
    crm, erp = pairs(fresh)[0]
    port = free_port()
    with running("--config", fresh.config, "run", "--port", port) as process:
        until(lambda: reached(f"http://127.0.0.1:{port}/healthz"), 15)
        fresh.sandbox.erp.edit("customers", erp["id"], {"tel": "021 5555 0101"})
        until(lambda: fresh.sandbox.crm.get("accounts", crm["id"])["phone"] == "+862155550101", 30)
        busy = fresh.datong("sync", "--json")
        assert busy.status == 1
        assert "in use" in busy.json["error"]["message"]
    assert process.returncode == 0


def test_demo_once() -> None:
    done = subprocess.run([*COMMAND, "demo", "--once"], capture_output=True, text=True, encoding="utf8", timeout=120)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert done.stderr == ""
    for part in ("datong plan", "datong apply", "conflict resolve", "Both sides agree", "两边一致"):
        assert part in done.stdout


def test_the_judge_of_the_demo_sees_what_differs(fresh: Place) -> None:
    for _ in range(3):
        fresh.datong("sync")
    crm, erp = fresh.sandbox.crm, fresh.sandbox.erp
    assert agreement.compare(crm.rows, erp.rows).agree
    (a, _), (c, d) = pairs(fresh)[:2]
    crm.edit("accounts", a["id"], {"phone": "021 5555 0100"})
    company = next(iter(d["companies"]))
    erp.edit("customers", d["id"], {"companies": {company: {"creditLimit": "1.00"}}})
    crm.edit("accounts", c["id"], {"addresses": []})
    found = {(x.crm_id, x.field) for x in agreement.compare(crm.rows, erp.rows).differences}
    assert found == {(a["id"], "phone"), (c["id"], f"credit limit, {company}"), (c["id"], "addresses")}


def free_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def reached(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(true: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
