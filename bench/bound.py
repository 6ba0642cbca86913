"""Lower bound: the same job written by hand for one source and one sink.

    python -m bench.bound --source URL --sink URL --ledger rows --state FILE

--ledger cursor  the watermark is committed (SQLite, WAL, synchronous=FULL) once a page's batches are all acknowledged
--ledger rows    that, and one row per account: fingerprint, attempts, last error (what a per-record ledger costs)
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson
import uvloop

from bench.mapping import fingerprint, map_customer, values

RETRY = {429, 500, 502, 503, 504}
PAGE, BATCH = 500, 200

Row = tuple[str, int, str | None]
"""External id, fingerprint, error of an account."""


class Http:
    """One client session."""

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.session.close()

    async def get(self, url: str, params: dict[str, str] | None = None) -> Any:
        async with self.session.get(url, params=params) as answer:
            answer.raise_for_status()
            return orjson.loads(await answer.read())

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Tries again what says that it may be tried again."""
        for attempt in range(6):
            async with self.session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                status, data = answer.status, await answer.read()
            if status not in RETRY:
                break
            await asyncio.sleep(min(0.05 * 2**attempt, 2))
        return status, data


class Ledger:
    """What survives the process: the watermark, and with `rows` every account's fingerprint and error."""

    def __init__(self, rows: bool, path: Path) -> None:
        self.rows = rows
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE IF NOT EXISTS mark(id INTEGER PRIMARY KEY, since TEXT, cursor TEXT, newest TEXT);"
            "CREATE TABLE IF NOT EXISTS account(key TEXT PRIMARY KEY, fp INTEGER, attempts INTEGER, error TEXT)"
            " WITHOUT ROWID;"
        )

    def load(self) -> tuple[str, str, str]:
        return self.db.execute("SELECT since, cursor, newest FROM mark WHERE id=1").fetchone() or ("", "", "")

    def news(self, accounts: list[dict[str, str]]) -> list[tuple[dict[str, str], int]]:
        """The accounts that are not yet there as they are, with their fingerprints."""
        if not self.rows:
            return [(a, 0) for a in accounts]
        keys = [a["external_id"] for a in accounts]
        marks = ",".join("?" * len(keys))
        sql = f"SELECT key, fp FROM account WHERE error IS NULL AND key IN ({marks})"
        known = dict(self.db.execute(sql, keys))
        prints = [fingerprint(values(a)) - (1 << 63) for a in accounts]
        return [(a, f) for a, f in zip(accounts, prints, strict=True) if known.get(a["external_id"]) != f]

    def save(self, since: str, cursor: str, newest: str, rows: list[Row]) -> None:
        db = self.db
        db.execute("BEGIN")
        if self.rows and rows:
            db.executemany(
                "INSERT INTO account VALUES(?,?,1,?) ON CONFLICT(key) DO UPDATE SET "
                "fp=excluded.fp, attempts=attempts+1, error=excluded.error",
                rows,
            )
        db.execute("INSERT OR REPLACE INTO mark VALUES(1,?,?,?)", (since, cursor, newest))
        db.execute("COMMIT")


async def run(source: str, sink: str, ledger: Ledger) -> dict[str, int]:
    """One run; the next page is read while the one before is sent."""
    since, cursor, newest = ledger.load()
    told = {"sent": 0, "rejected": 0}
    async with Http() as http:

        async def fetch(after: str) -> Any:
            params = {"limit": str(PAGE), "updated_since": since} | ({"cursor": after} if after else {})
            return await http.get(source + "/customers", params)

        async def push(chunk: list[dict[str, str]]) -> list[str | None]:
            status, data = await http.post(sink + "/accounts/upsert_batch", orjson.dumps({"accounts": chunk}))
            if status != 200:
                raise SystemExit(f"sink answered {status}: the page is not committed")
            results = orjson.loads(data)["results"]
            return [r.get("error") or "rejected" if r["status"] == "rejected" else None for r in results]

        async def send(page: dict[str, Any]) -> list[Row]:
            news = ledger.news([map_customer(c) for c in page["data"]])
            accounts = [a for a, _ in news]
            chunks = [accounts[i : i + BATCH] for i in range(0, len(accounts), BATCH)]
            errors = [e for part in await asyncio.gather(*map(push, chunks)) for e in part]
            told["sent"] += len(accounts)
            told["rejected"] += sum(e is not None for e in errors)
            return [(a["external_id"], f, e) for (a, f), e in zip(news, errors, strict=True)]

        page = await fetch(cursor)
        while True:
            ahead = asyncio.ensure_future(fetch(page["next_cursor"])) if page["has_more"] else None
            rows = await send(page)
            if page["data"]:
                newest = max(newest, page["data"][-1]["updated_at"])
            if ahead is None:
                ledger.save(newest, "", newest, rows)
                return told
            ledger.save(since, page["next_cursor"], newest, rows)
            page = await ahead


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--source", required=True)
    ap.add_argument("--sink", required=True)
    ap.add_argument("--ledger", choices=["cursor", "rows"], default="rows")
    ap.add_argument("--state", type=Path, required=True)
    args = ap.parse_args()
    print(orjson.dumps(uvloop.run(run(args.source, args.sink, Ledger(args.ledger == "rows", args.state)))).decode())
