"""Lower bound for webhooks: one event in, one upsert out, written by hand.

    python -m bench.bound_hook --source URL --sink URL --state FILE --port N [--get]

POST /hook with a customer: it is committed to an inbox (SQLite, WAL, synchronous=FULL; one commit for all that wait),
answered with 202, mapped and upserted. With --get the webhook carries only the number, and the customer is read first.
A replay of what a crash left undone is not written.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from pathlib import Path

import orjson
import uvloop
from aiohttp import web

from bench.bound import Http
from bench.mapping import map_customer


class Intake:
    def __init__(self, http: Http, source: str | None, sink: str, state: Path) -> None:
        self.http, self.source, self.sink = http, source, sink
        self.db = sqlite3.connect(state, isolation_level=None)
        self.db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE IF NOT EXISTS inbox(id INTEGER PRIMARY KEY, body BLOB, done INTEGER DEFAULT 0)"
        )
        self.waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self.done: list[int] = []
        self.wake = asyncio.Event()

    async def hook(self, request: web.Request) -> web.Response:
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((await request.read(), committed))
        self.wake.set()
        await committed
        return web.Response(status=202)

    async def commit(self) -> None:
        """One commit for all events that wait, over and over."""
        tasks: set[asyncio.Task[None]] = set()
        while True:
            await self.wake.wait()
            self.wake.clear()
            for row, body in zip(*self._committed(), strict=True):
                task = asyncio.ensure_future(self.deliver(row, body))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

    def _committed(self) -> tuple[list[int], list[bytes]]:
        batch, marks = self.waiting[:], self.done[:]
        self.waiting.clear()
        self.done.clear()
        self.db.execute("BEGIN")
        ids = [self.db.execute("INSERT INTO inbox(body) VALUES(?)", (body,)).lastrowid or 0 for body, _ in batch]
        self.db.executemany("UPDATE inbox SET done=1 WHERE id=?", [(done,) for done in marks])
        self.db.execute("COMMIT")
        for _, committed in batch:
            committed.set_result(None)
        return ids, [body for body, _ in batch]

    async def deliver(self, row: int, body: bytes) -> None:
        customer = orjson.loads(body)
        if self.source is not None:
            customer = await self.http.get(f"{self.source}/customers/{customer['customer_no']}")
        status, _ = await self.http.post(f"{self.sink}/accounts/upsert", orjson.dumps(map_customer(customer)))
        if status in (200, 422):
            self.done.append(row)


async def application(source: str | None, sink: str, state: Path) -> web.Application:
    http = await Http().__aenter__()
    intake = Intake(http, source, sink, state)
    app = web.Application()
    app.router.add_post("/hook", intake.hook)
    committing = asyncio.ensure_future(intake.commit())

    async def end(_: web.Application) -> None:
        committing.cancel()
        await http.__aexit__()

    app.on_cleanup.append(end)
    return app


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--source", required=True)
    ap.add_argument("--sink", required=True)
    ap.add_argument("--state", type=Path, required=True)
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--get", action="store_true", help="the webhook carries only the number")
    args = ap.parse_args()
    app = application(args.source if args.get else None, args.sink, args.state)
    web.run_app(app, host="127.0.0.1", port=args.port, print=None, access_log=None, loop=uvloop.new_event_loop())
