"""What is kept when things go wrong; one row a peer and test.

kill    the run is killed with SIGKILL when half of the accounts have arrived, then started again
flaky   every 20th request of the sink answers 503 (with Retry-After: 1)
reject  the sink refuses one account in a thousand; then, with the fault gone, an ordinary run again
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.ends import Ends
from bench.expected import expected
from bench.jobs import agrees, end_group, timed
from bench.peers import PEERS, Peer

TESTS = ("kill", "flaky", "reject")


def measure(peers: Sequence[str], *, n: int, root: Path, timeout: float = 300) -> Iterator[dict[str, Any]]:
    want = expected(n, root / "data")["base"]
    with Ends(n, root / "data") as ends:
        for name in peers:
            for test in TESTS:
                peer = PEERS[name](ends, root)
                peer.prepare()
                ends.reset()
                row: dict[str, Any] = {"part": "durability", "peer": name, "n": n, "test": test}
                if test == "kill":
                    row["arrived_at_kill"] = kill_half(peer, ends, n, timeout)
                elif test == "flaky":
                    ends.faults(flaky_every=20)
                else:
                    ends.faults(reject_mod=1000)
                row["exit"] = timed(peer, timeout)[3]
                held = ends.held()
                row |= {
                    "complete": agrees(ends, n, want),
                    "accounts": held["accounts"],
                    "sent_twice": held["identical"],
                }
                row |= {"rejected": held["rejected"], "answered_503": held["unavailable"]}
                ends.faults()
                row["exit_next"] = timed(peer, timeout)[3]
                row["complete_next"] = agrees(ends, n, want)
                row["sent_twice_next"] = ends.held()["identical"] - held["identical"]
                row["ok"] = row["complete"] if test == "kill" else row["complete_next"]
                yield row


def kill_half(peer: Peer, ends: Ends, n: int, timeout: float) -> int:
    """Kills a run once half has arrived; gives how many had."""
    process = peer.spawn()
    end = time.monotonic() + timeout
    while ends.held()["accounts"] < n // 2 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    end_group(process)
    process.wait()
    time.sleep(0.5)
    return ends.held()["accounts"]
