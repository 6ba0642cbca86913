"""Source server: an ERP's paged customer list, rendered once and served as bytes.

    python -m bench.source --n 100000 --port 8801

GET  /customers?updated_since=&cursor=&limit=   strictly newer than updated_since, oldest change first
GET  /customers/<customer_no>                   one customer as it is now
POST /_control/touch?rev=1                      changes one customer in a hundred (moves them to the end of the list)
POST /_control/schedule                         {"first", "count", "start", "rate", "rev"}: customers from `first` on
                                                change one by one, `rate` a second from the monotonic time `start` on
POST /_control/reset                            back to the base state
GET  /_stats                                    requests and customers served
"""

from __future__ import annotations

import argparse
import mmap
import time
from array import array
from bisect import bisect_right
from collections import deque
from pathlib import Path

import orjson

from bench import dataset
from bench.minihttp import Part, Reply, serve

SEP = b","
ONE = b"/customers/"


def render(n: int, folder: Path) -> tuple[memoryview, array[int]]:
    """All base customers as one comma-separated buffer, with the offset of each."""
    body, index = folder / f"customers-{n}.json", folder / f"customers-{n}.idx"
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        offsets, at = array("Q"), 0
        with body.open("wb") as out:
            for i in range(n):
                offsets.append(at)
                at += out.write(orjson.dumps(dataset.record(i)) + SEP)
        offsets.append(at)
        index.write_bytes(offsets.tobytes())
    offsets = array("Q")
    offsets.frombytes(index.read_bytes())
    with body.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)), offsets


class Source:
    def __init__(self, n: int, folder: Path) -> None:
        self.n = n
        self.blob, self.offsets = render(n, folder)
        self.reset()

    def reset(self) -> None:
        self.now: dict[int, int] = {}  # customer -> revision, of those that changed since the base state
        self.tail: list[bytes] = []  # they as they are now, oldest change first
        self.tail_keys: list[str] = []
        self.coming: deque[tuple[float, int, int]] = deque()  # when, which customer, which revision
        self.requests = self.records = self.single = 0

    def change(self, i: int, rev: int) -> None:
        """Once a customer, and in the order of `updated_at`, so that places in the list stay what they are."""
        self.now[i] = rev
        self.tail.append(orjson.dumps(dataset.record(i, rev)))
        self.tail_keys.append(dataset.updated_at(i, rev))

    def touch(self, rev: int) -> None:
        for i in range(self.n):
            if dataset.touched(i, rev):
                self.change(i, rev)

    def schedule(self, first: int, count: int, start: float, rate: float, rev: int) -> None:
        self.coming.extend((start + k / rate, first + k, rev) for k in range(count))

    def advance(self) -> None:
        """What was to change by now has changed."""
        while self.coming and self.coming[0][0] <= time.monotonic():
            _, i, rev = self.coming.popleft()
            self.change(i, rev)

    def one(self, number: str) -> Reply:
        """A customer as it is now."""
        i = int(number[1:]) if number[:1] == "C" and number[1:].isdecimal() else -1
        if not 0 <= i < self.n or dataset.number(i) != number:
            return 404, [b'{"error":"no such customer"}'], b""
        return 200, [orjson.dumps(dataset.record(i, self.now.get(i, 0)))], b""

    def _base_start(self, since: str) -> int:
        """First base position newer than `since` (base order is by updated_at)."""
        lo, hi = 0, self.n
        while lo < hi:
            mid = (lo + hi) // 2
            if dataset.updated_at(mid, 0) > since:
                hi = mid
            else:
                lo = mid + 1
        return lo

    def page(self, since: str, cursor: str, limit: int) -> list[Part]:
        pos = int(cursor) if cursor else self._start(since)
        end = min(pos + limit, self.n)
        items: list[Part]
        if pos < self.n and not self.tail:  # one untouched slice
            items = [self.blob[self.offsets[pos] : self.offsets[end] - 1]]
            count = end - pos
        else:
            lines = [
                bytes(self.blob[self.offsets[i] : self.offsets[i + 1] - 1])
                for i in range(pos, end)
                if i not in self.now
            ]
            of_base = max(end - pos, 0)
            start = max(pos - self.n, 0)
            extra = self.tail[start : start + limit - of_base]
            end = pos + of_base + len(extra)
            items, count = [SEP.join(lines + extra)], len(lines) + len(extra)
        more = end < self.n + len(self.tail)
        self.records += count
        after = (b"true", b'"%d"' % end) if more else (b"false", b"null")
        return [b'{"data":[', *items, b'],"has_more":%b,"next_cursor":%b}' % after]

    def _start(self, since: str) -> int:
        if not since:
            return 0
        pos = self._base_start(since)
        return pos + bisect_right(self.tail_keys, since) if pos == self.n else pos

    def __call__(self, method: bytes, path: bytes, query: dict[str, str], body: bytes) -> Reply:
        self.advance()
        if path == b"/customers":
            self.requests += 1
            limit = min(int(query.get("limit") or 500), 500)
            return 200, self.page(query.get("updated_since", ""), query.get("cursor", ""), limit), b""
        if path.startswith(ONE):
            self.single += 1
            return self.one(path[len(ONE) :].decode())
        if path == b"/_stats":
            told = {"n": self.n, "requests": self.requests, "records": self.records, "single": self.single}
            return 200, [orjson.dumps(told)], b""
        return self._control(path, query, body)

    def _control(self, path: bytes, query: dict[str, str], body: bytes) -> Reply:
        if path == b"/_control/touch":
            self.touch(int(query.get("rev", "1")))
        elif path == b"/_control/schedule":
            self.schedule(**orjson.loads(body))
        elif path == b"/_control/reset":
            self.reset()
        else:
            return 404, [b'{"error":"no such path"}'], b""
        return 200, [b"{}"], b""


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--n", type=int, default=10_000)
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=0)
    ap.add_argument("--cache", type=Path, default=Path(".cache/bench/data"))
    args = ap.parse_args()
    serve(Source(args.n, args.cache), args.host, args.port)
