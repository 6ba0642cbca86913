"""Sink server: a CRM's account upsert, which checks what arrives.

    python -m bench.sink --port 8802

POST /accounts/upsert         one account, every field of it; one without an external id is rejected
POST /accounts/upsert_batch   {"accounts": [up to 200]} -> one result per account, in order
GET  /_stats                  counts, and the sum of all accounts' fingerprints (see mapping.py)
POST /_control/reset          forget everything
POST /_control/faults         {"flaky_every": k, "reject_mod": m}; zero turns a fault off
                              every k-th request answers 503; ids divisible by m are rejected
POST /_control/record         start noting the arrival time of each account; GET /_arrivals returns them
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from bench.mapping import FIELDS, MASK, fingerprint
from bench.minihttp import Reply, serve

Account = msgspec.defstruct("Account", [(f, str) for f in FIELDS], forbid_unknown_fields=True, gc=False)
_values: Callable[[Any], tuple[str, ...]] = attrgetter(*FIELDS)
_one = msgspec.json.Decoder(Account)
_encode = msgspec.json.encode
MAX_BATCH = 200


class Batch(msgspec.Struct):
    accounts: list[Account]  # type: ignore[valid-type]


class RawBatch(msgspec.Struct):
    accounts: list[msgspec.Raw]


class Faults(msgspec.Struct):
    flaky_every: int = 0
    reject_mod: int = 0


_batch = msgspec.json.Decoder(Batch)
_raw_batch = msgspec.json.Decoder(RawBatch)


class Sink:
    def __init__(self) -> None:
        self.faults = Faults()
        self.reset()

    def reset(self) -> None:
        self.seen: dict[str, int] = {}
        self.total = 0
        names = ("requests", "created", "updated", "identical", "rejected", "unavailable")
        self.counts = dict.fromkeys(names, 0)
        self.arrivals: list[tuple[str, float]] | None = None

    def upsert(self, account: Any) -> str:
        key = account.external_id
        if not key or (self.faults.reject_mod and int(key[1:]) % self.faults.reject_mod == 0):
            self.counts["rejected"] += 1
            return "rejected"
        new = fingerprint(_values(account))
        old = self.seen.get(key)
        if old == new:
            word = "identical"
        else:
            word = "created" if old is None else "updated"
            self.total = (self.total + new - (old or 0)) & MASK
            self.seen[key] = new
        self.counts[word] += 1
        if self.arrivals is not None:
            self.arrivals.append((key, time.monotonic()))
        return word

    def _each(self, raws: list[msgspec.Raw]) -> list[dict[str, str]]:
        out = []
        for raw in raws:
            try:
                out.append({"status": self.upsert(_one.decode(raw))})
            except msgspec.ValidationError as error:
                self.counts["rejected"] += 1
                out.append({"status": "rejected", "error": str(error)})
        return out

    def _many(self, body: bytes) -> Reply:
        try:
            batch = _batch.decode(body).accounts
        except msgspec.ValidationError:
            return 200, [_encode({"results": self._each(_raw_batch.decode(body).accounts)})], b""
        if len(batch) > MAX_BATCH:
            return 413, [b'{"error":"at most 200 accounts"}'], b""
        return 200, [_encode({"results": [{"status": self.upsert(a)} for a in batch]})], b""

    def _single(self, body: bytes) -> Reply:
        try:
            word = self.upsert(_one.decode(body))
        except msgspec.ValidationError as error:
            self.counts["rejected"] += 1
            return 422, [_encode({"status": "rejected", "error": str(error)})], b""
        return (422 if word == "rejected" else 200), [b'{"status":"%b"}' % word.encode()], b""

    def __call__(self, method: bytes, path: bytes, query: dict[str, str], body: bytes) -> Reply:
        if path.startswith(b"/accounts/"):
            self.counts["requests"] += 1
            if self.faults.flaky_every and self.counts["requests"] % self.faults.flaky_every == 0:
                self.counts["unavailable"] += 1
                return 503, [b'{"error":"try again"}'], b"Retry-After: 1\r\n"
        if path == b"/accounts/upsert_batch":
            return self._many(body)
        if path == b"/accounts/upsert":
            return self._single(body)
        if path == b"/_stats":
            return 200, [_encode({**self.counts, "accounts": len(self.seen), "total": str(self.total)})], b""
        if path == b"/_arrivals":
            return 200, [_encode(self.arrivals or [])], b""
        return self._control(path, body)

    def _control(self, path: bytes, body: bytes) -> Reply:
        if path == b"/_control/reset":
            self.reset()
        elif path == b"/_control/faults":
            self.faults = msgspec.json.decode(body, type=Faults)
        elif path == b"/_control/record":
            self.arrivals = []
        else:
            return 404, [b'{"error":"no such path"}'], b""
        return 200, [b"{}"], b""


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=0)
    args = ap.parse_args()
    serve(Sink(), args.host, args.port)
