"""One webhook in, one upsert at the sink, at a fixed rate: an open loop, so a slow peer is not waited for.

A peer that loads first has all customers linked. Each event is the change of another customer: at that moment the
source has it changed, in its list and by number, and the webhook is sent. Latency is from then to the moment when the
sink handled the upsert. All changes must be at the sink in the end, to the last fingerprint.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from bench import dataset, machine
from bench.ends import Ends
from bench.expected import expected, turned
from bench.mapping import MASK
from bench.peers import PEERS, Service, until

WARM_RATE, WARM_SECONDS = 20, 3
REVISION = 2
Row = dict[str, Any]


def measure(
    peers: Sequence[str],
    rates: Sequence[float],
    *,
    n: int,
    seconds: float,
    reps: int,
    root: Path,
    drain: float = 60,
    wait: float = 3,
) -> Iterator[Row]:
    """`n` customers at the source, more than all events of a peer; `drain`: seconds that late arrivals have.

    `wait`: the most seconds to wait for a quiet machine before each rate.
    """
    if customers(rates, seconds) > n:
        raise ValueError(f"{n} customers are not enough for as many events as that")
    base = expected(n, root / "data")["base"]
    with Ends(n, root / "data") as ends:
        for rep in range(reps):
            for name in peers:
                ends.reset()
                peer = PEERS[name](ends, root)
                assert isinstance(peer, Service), f"{name} takes no webhooks"
                peer.prepare()
                peer.start()
                try:
                    if peer.loads:
                        until(lambda: ends.held()["total"] == base, 600, f"{name} does not load all", peer.process)
                    for row in _rates(peer, ends, base if peer.loads else 0, rates, seconds, drain, wait):
                        yield {"part": "latency", "peer": name, "rep": rep, "n": n, **row}
                finally:
                    peer.stop()


def customers(rates: Sequence[float], seconds: float) -> int:
    """How many are needed: each event is of another one."""
    return WARM_RATE * WARM_SECONDS + sum(int(rate * seconds) for rate in rates)


def _rates(
    peer: Service, ends: Ends, total: int, rates: Sequence[float], seconds: float, drain: float, wait: float
) -> Iterator[Row]:
    first = 0
    for rate, lasting in ((WARM_RATE, WARM_SECONDS), *((rate, seconds) for rate in rates)):
        numbers = range(first, first + int(rate * lasting))
        first = numbers.stop
        total = (total + turned(numbers, REVISION, peer.loads)) & MASK
        row = _one_rate(peer, ends, numbers, rate, total, drain, wait)
        if numbers.start:  # the first was to warm up
            yield row
        elif not row["ok"]:
            yield {**row, "rate": "warm-up"}
            return


def _one_rate(peer: Service, ends: Ends, numbers: range, rate: float, total: int, drain: float, wait: float) -> Row:
    quiet = machine.wait_quiet(wait)
    ends.record_arrivals()
    busy, own, serving, cpu = machine.busy(), time.process_time(), ends.cpu(), machine.cpu([peer.pid])
    peak, began = machine.Peak(peer.pid), time.monotonic()
    due, acknowledged, status = uvloop.run(fire(peer, ends, numbers, rate))
    end = time.monotonic() + drain
    while not (arrived_all := ends.held()["total"] == total) and time.monotonic() < end:
        time.sleep(0.2)
    wall, cpu, serving = time.monotonic() - began, machine.cpu([peer.pid]) - cpu, ends.cpu() - serving
    foreign = machine.busy() - busy - cpu - serving - (time.process_time() - own)
    arrived: dict[str, float] = {}
    for key, at in ends.arrivals():
        arrived.setdefault(key, at)
    late = [arrived[key] - at for key, at in due.items() if key in arrived]
    return {
        "rate": rate,
        "ok": arrived_all and len(late) == len(due),
        "sent": len(due),
        "arrived": len(late),
        "http": dict(status),
        **{f"{name}_ms": share(late, q) for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1))},
        **{f"ack_{name}_ms": share(acknowledged, q) for name, q in (("p50", 0.5), ("p99", 0.99))},
        "cpu": round(cpu, 2),
        "rss_mb": peak.stop(),
        "foreign": round(max(foreign, 0) / wall, 2),
        "quiet": quiet,
    }


async def fire(
    peer: Service, ends: Ends, numbers: range, rate: float
) -> tuple[dict[str, float], list[float], Counter[str]]:
    """When each event was due, by customer; how long each answer took; how many answers of each kind."""
    due: dict[str, float] = {}
    took: list[float] = []
    status: Counter[str] = Counter()
    url = peer.url + peer.hook_path
    headers = {"Content-Type": "application/json", **peer.headers}
    patience = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256), timeout=patience) as http:

        async def one(number: str, body: bytes, at: float) -> None:
            try:
                async with http.post(url, data=body, headers=headers) as answer:
                    await answer.read()
                    status[str(answer.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                status[type(error).__name__] += 1
            took.append(time.monotonic() - at)

        bodies = [_body(peer, i) for i in numbers]
        start = time.monotonic() + 0.2
        ends.schedule(numbers, start, rate, REVISION)
        tasks = []
        for k, i in enumerate(numbers):
            number, at = dataset.number(i), start + k / rate
            due[number] = at
            await asyncio.sleep(max(at - time.monotonic(), 0))
            tasks.append(asyncio.ensure_future(one(number, bodies[k], at)))
        await asyncio.gather(*tasks)
    return due, took, status


def _body(peer: Service, i: int) -> bytes:
    return orjson.dumps({"customer_no": dataset.number(i)} if peer.number_only else dataset.record(i, REVISION))


def share(seconds: list[float], q: float) -> float | None:
    """The quantile, in milliseconds."""
    ordered = sorted(seconds)
    return round(ordered[min(int(len(ordered) * q), len(ordered) - 1)] * 1000, 2) if ordered else None
