"""Asking a REST system: one call, its answer judged by the description's rules, and the pages of a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from datong.base import json
from datong.base.errors import (
    AccessDenied,
    BadAnswer,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    RequestRefused,
    TryLater,
)
from datong.connectors.rest.access import Login, Proof, Token
from datong.connectors.rest.description import ErrorRule, Paging, Request, Rows, field_at, text_at, value_at, whole_at
from datong.connectors.rest.template import NOTHING, Known, compiled, path
from datong.kit import Http, Reply
from datong.kit.budget import Budget
from datong.mapping import ABSENT

OWN_AFFAIR = tuple(status for status in range(400, 500) if status not in (401, 403, 408, 425, 429))
"""Statuses that may be about the record, not about the connection."""
_AT_ONCE = 4
"""As many calls at a time as a browser makes of one host, or fewer: no server minds."""


class SessionOver(AccessDenied):
    """The system wants a new login. Nothing was done."""


class Call:
    """A request of the description, made for being sent often."""

    def __init__(self, told: Request) -> None:
        self.method = told.method
        self.path = path(told.path)
        self.params = compiled(told.params)
        self.headers = compiled(told.headers)
        self.body = compiled(told.body)


class Api:
    """The system, as its description lets us ask it."""

    def __init__(self, http: Http, budget: Budget, proof: Proof, rules: Sequence[ErrorRule]) -> None:
        self.http = http
        self._budget = budget
        self._proof = proof
        self._rules = rules
        self.at_once = 1 if isinstance(proof, (Login, Token)) else _AT_ONCE
        """Reads that may be under way together. Where a session can end only one: two that log in anew may end each
        other's."""
        if isinstance(proof, Login):
            proof.bind(http)

    def ask(self, call: Call, known: Known, *, changes: bool = False, allow: Sequence[int] = ()) -> Reply:
        """The answer, judged. Statuses in `allow` are given back where no rule of the description is about them."""
        body = call.body(known)
        return self.send(
            call.method,
            call.path(known),
            params={k: v for k, v in call.params(known).items() if v is not None} or None,
            body=None if body is NOTHING else body,
            headers=call.headers(known),
            changes=changes,
            allow=allow,
        )

    def send(self, method: str, path: str, *, changes: bool = False, allow: Sequence[int] = (), **sent: Any) -> Reply:
        try:
            return self._once(method, path, changes, allow, sent)
        except AccessDenied:
            if not self._proof.renew():
                raise
            return self._once(method, path, changes, allow, sent)

    def _once(self, method: str, path: str, changes: bool, allow: Sequence[int], sent: Mapping[str, Any]) -> Reply:
        self._proof.ready()
        reply = self.http.exchange(method, path, changes=changes, allow=allow, **sent)
        if self._rules:
            wrong = self._judged(f"{method} {path}", reply.status, reply.data, changes)
            if wrong is not None:
                raise wrong
        return reply

    def rule(self, status: int, content: bytes) -> RemoteError | None:
        """For `Http`: what the description says of a bad status."""
        if status < 300 or not self._rules:
            return None
        try:
            data = json.loads(content)
        except ValueError:
            data = None
        return self._judged(f"status {status}", status, data, True)

    def _judged(self, asked: str, status: int, data: Any, changes: bool) -> RemoteError | None:
        for rule in self._rules:
            if (rule.status is None or status in rule.status) and (rule.when is None or rule.when.holds(data)):
                return self._consequence(rule, asked, status, data, changes)
        return None

    def _consequence(self, rule: ErrorRule, asked: str, status: int, data: Any, changes: bool) -> RemoteError:
        code = text_at(data, rule.code)
        told = text_at(data, rule.text) or json.dumps(data)[:300]
        words = f"{asked}: {told}" + (f" ({code})" if code and code not in told else "")
        after = _seconds(value_at(data, rule.after)) if rule.after is not None else None
        if rule.then == "refused":
            return RequestRefused(words, field=field_at(data, rule.field), code=code or str(status))
        if rule.then == "limited":
            self._budget.pause(after if after is not None else 1.0)
            return RateLimited(words, after=after)
        if rule.then == "unknown":
            return OutcomeUnknown(words) if changes else TryLater(words, after=after)
        if rule.then == "later":
            return TryLater(words, after=after)
        if rule.then == "bad":
            return BadAnswer(words)
        kind = SessionOver if rule.then == "login" else AccessDenied
        return kind(words, remedy="check the credentials and the rights of the user they belong to")


def _seconds(value: Any) -> float | None:
    try:
        return min(86400.0, max(0.0, float(value)))
    except (TypeError, ValueError):
        return None


# Lists.


class Listing:
    """Rows of a list, page by page."""

    def __init__(self, api: Api, told: Rows, alone: str | None = None) -> None:
        """`alone`: what a row is that is a value and no object."""
        self._alone = alone
        self._api = api
        self._told = told
        self._call = Call(told)
        self._columns = told.columns

    @property
    def counts(self) -> bool:
        """Pages are counted, so that rows which move while we read shift the others."""
        return self._told.page is not None and self._told.page.by in ("page", "offset")

    @property
    def most(self) -> int | None:
        return self._told.page.most if self._told.page else None

    def rows(self, data: Any) -> list[Mapping[str, Any]]:
        """The records in an answer. Raises BadAnswer where there is no list of them."""
        told = self._told
        found = value_at(data, told.items)
        if found is ABSENT or (found is not None and not isinstance(found, list)):
            what = f"no list at {told.items}" if told.items else "no list"
            raise BadAnswer(f"{told.path} answered {what}: there is {_looks(data)}", remedy="correct `items`")
        if self._alone is not None:
            return [row if isinstance(row, dict) else {self._alone: row} for row in found or ()]
        if self._columns is None:
            if any(not isinstance(row, dict) for row in found or ()):
                raise BadAnswer(f"{told.path}: a record is no object", remedy="give `columns` where rows are lists")
            return found or []
        return [self._named(row) for row in found or ()]

    def _named(self, row: Any) -> dict[str, Any]:
        assert self._columns is not None
        if not isinstance(row, list) or len(row) != len(self._columns):
            told = f"{len(row)} values" if isinstance(row, list) else "no list"
            raise BadAnswer(
                f"{self._told.path}: a row is {told}, and {len(self._columns)} columns are described",
                remedy="`columns` must be those that the call asks for, in their order",
            )
        return dict(zip(self._columns, row, strict=True))

    def pages(self, known: Known) -> Iterator[tuple[list[Mapping[str, Any]], bool]]:
        """(rows, is it the last page). Raises BadAnswer where the pages go in circles."""
        paging = self._told.page
        if paging is None:
            yield self.rows(self._api.ask(self._call, known).data), True
            return
        state: dict[str, Any] = {"size": paging.size, "page": paging.first, "offset": 0}
        reply = self._api.ask(self._call, {**known, **state})
        been: set[str] = set()
        before: list[Mapping[str, Any]] = []
        count = 0
        while True:
            rows = self.rows(reply.data)
            if rows and rows == before:
                raise BadAnswer(
                    f"{self._told.path} gives the same page again and again",
                    remedy=f"does the system know how we ask for the next page ({paging.by})?",
                )
            before, count = rows, count + len(rows)
            step = self._next(paging, reply, rows, state, count)
            yield rows, step is None
            if step is None:
                return
            if str(step) in been:
                raise BadAnswer(
                    f"{self._told.path} goes in circles: it sends us back to {next(iter(step.values()))!s:.80}",
                    remedy="the paging of the system is broken, or described wrongly (`page`)",
                )
            been.add(str(step))
            state |= step
            if "link" in step:
                reply = self._api.send("GET", step["link"], headers=self._call.headers(known))
            else:
                reply = self._api.ask(self._call, {**known, **state})

    def _next(
        self, paging: Paging, reply: Reply, rows: list[Mapping[str, Any]], state: Mapping[str, Any], count: int
    ) -> dict[str, Any] | None:
        """What leads to the next page; None after the last one."""
        if paging.more is not None and value_at(reply.data, paging.more) in (False, 0, None, "", ABSENT):
            return None
        if paging.by == "link":
            return self._link(paging, reply)
        if paging.by == "cursor":
            found = value_at(reply.data, paging.next or "")
            return None if found in (None, "", False, ABSENT) else {"cursor": found}
        if not rows or self._counted_out(paging, reply.data, rows, count):
            return None
        if paging.by == "page":
            return {"page": state["page"] + 1}
        if paging.by == "offset":
            return {"offset": count}
        last = value_at(rows[-1], paging.after or "")
        if last is ABSENT or last is None:
            raise BadAnswer(f"{self._told.path}: the last row has nothing at {paging.after}", remedy="correct `after`")
        return {"after": last}

    @staticmethod
    def _counted_out(paging: Paging, data: Any, rows: Sequence[Any], count: int) -> bool:
        if paging.total is not None:
            total = whole_at(data, paging.total)
            if total is None:
                raise BadAnswer(f"no number of rows at {paging.total}: {_looks(data)}", remedy="correct `total`")
            return count >= total
        return paging.more is None and paging.size is not None and len(rows) < paging.size

    def _link(self, paging: Paging, reply: Reply) -> dict[str, Any] | None:
        if paging.next is not None:
            found = value_at(reply.data, paging.next)
            told = found if isinstance(found, str) else ""
        else:
            told = _next_link(reply.headers.get("link", ""))
        if not told:
            return None
        base = self._api.http.base_url
        whole, home = urlsplit(urljoin(base + self._told.path, told)), urlsplit(base)
        if (whole.scheme, whole.netloc) != (home.scheme, home.netloc):
            raise BadAnswer(
                f"{self._told.path}: the next page is said to be at {whole.netloc}",
                remedy="our credentials go to the configured address only; correct `url`",
            )
        rest = whole.path.removeprefix(home.path) if home.path else whole.path
        return {"link": rest + (f"?{whole.query}" if whole.query else "")}


def _next_link(header: str) -> str:
    """The address with rel="next" in a Link header."""
    for part in header.split(","):
        address, _, rest = part.strip().partition(";")
        marks = [one.strip().replace('"', "").replace(" ", "") for one in rest.split(";")]
        if "rel=next" in marks and address.startswith("<") and address.endswith(">"):
            return address[1:-1]
    return ""


def _looks(data: Any) -> str:
    """What an answer is like, for whoever mends the description."""
    if isinstance(data, dict):
        return f"an object with {', '.join(map(str, list(data)[:12])) or 'nothing in it'}"
    if isinstance(data, list):
        return f"a list of {len(data)}"
    return "nothing" if data is None else f"{data!r:.60}"


def one_at(data: Any, place: str | None, what: Callable[[], str]) -> Mapping[str, Any] | None:
    """The object at `place`, None where there is nothing. Raises BadAnswer where it is something else."""
    found = value_at(data, place or "")
    if found is ABSENT or found is None or found == []:
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise BadAnswer(f"{what()}: no object at {place or 'its answer'}, but {_looks(found)}", remedy="correct `item`")
    return found
