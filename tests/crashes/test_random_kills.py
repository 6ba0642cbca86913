"""Rounds of edits, each synced by a process that is killed at a random step; judged by the two systems' own data."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.sandbox import Sandbox
from tests.scenarios.sandbox_pair import SandboxPair, sandbox_pair

WORKER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from datong.bootstrap.build import build
from datong.bootstrap.config import load
left = int(sys.argv[3])
def die(where):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
build(load(Path(sys.argv[2]))).engine("worker", checkpoint=die).sync()
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[SandboxPair]:
    with Sandbox(seed=1, size=0) as sandbox:
        made = sandbox_pair(sandbox, tmp_path)
        made.configure(flows={"customer_master": {"limits": {"updates": "100%"}}})
        made.sync()
        yield made
        made.close()


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_steps(pair: SandboxPair, seed: int) -> None:
    dice = random.Random(seed)
    config = str(pair.folder / "datong.yaml")
    root = str(Path(__file__).parents[2])
    killed = 0
    ids: list[str] = []
    for number in range(30):
        ids.append(pair.crm.make(name=f"第{number}轮客户有限公司", email=f"r{number}@x.example"))
        pair.crm.change(dice.choice(ids), phone=f"0755-2600 {number:04d}")
        linked = list(pair.erp.customers())
        if linked:
            pair.erp.change(dice.choice(linked), credit_limit={"asia": str(1000 + number)})
        pair.advance(30)
        command = [sys.executable, "-c", WORKER, root, config, str(dice.randrange(14))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=dict(os.environ))
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        killed += done.returncode != 0
    pair.restart()
    pair.advance(600)
    pair.settle(most=12)

    crm, erp = pair.crm.customers(), pair.erp.customers()
    assert sorted(c["name"] for c in erp.values()) == sorted(c["name"] for c in crm.values()), "each exactly once"
    by_name = {c["name"]: c for c in erp.values()}
    for mine in crm.values():
        theirs = by_name[mine["name"]]
        assert mine["email"] == theirs["email"]
        assert mine["credit_limit"].get("asia") == theirs["credit_limit"].get("asia")
        if mine["phone"]:
            assert theirs["phone"] == "+86" + mine["phone"].replace("-", "").replace(" ", "").lstrip("0")
    assert killed > 5 and pair.app is not None and pair.app.sealer.verify()["intact"]
    assert not pair.items("parked"), [i["reason"] for i in pair.items("parked")]
