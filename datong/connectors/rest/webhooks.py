"""Webhooks of a REST system: is it theirs, and what does it point at."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from datong.base import json
from datong.base.errors import AccessDenied, BadAnswer
from datong.connectors.rest.access import digest
from datong.connectors.rest.description import value_at
from datong.connectors.rest.proofs import Webhook, WebhookHmac
from datong.connectors.rest.template import compiled
from datong.kit import Hint, Incoming, WireRecord
from datong.mapping import ABSENT
from datong.mapping.convert import moment_read

Make = Callable[[Mapping[str, Any]], WireRecord]


class Hooks:
    """What a connection takes in. `kinds` are (the system's name of an object, our kind, how a record is made)."""

    def __init__(self, told: Webhook | None, connection: str, kinds: Sequence[tuple[str, str, Make]]) -> None:
        self._told = told
        self._connection = connection
        self._kinds = {object: (kind, make) for object, kind, make in kinds}
        self._message = compiled(told.hmac.message) if told is not None and told.hmac is not None else None

    def hints(self, incoming: Incoming) -> list[Hint]:
        """Raises AccessDenied for a bad signature, BadAnswer for a body without sense."""
        if self._told is None:
            raise self._forged("no webhook is described", "describe `webhook` for the connection")
        self._verify(self._told, incoming)
        try:
            data = json.loads(incoming.body)
        except ValueError as error:
            raise BadAnswer(f"a webhook of {self._connection} is no JSON: {error}") from None
        return [hint for event in self._events(self._told, data) for hint in self._hint(self._told, event)]

    def _verify(self, told: Webhook, incoming: Incoming) -> None:
        if told.token is not None:
            given = incoming.headers.get(told.token.header.lower(), "")
            wanted = told.token.prefix + told.token.secret.get_secret_value()
            if not hmac.compare_digest(given.encode(), wanted.encode()):
                raise self._forged("the token is wrong", "use one token in the system and in `webhook.token.secret`")
        elif told.hmac is not None:
            self._signed(told.hmac, incoming)

    def _signed(self, told: WebhookHmac, incoming: Incoming) -> None:
        assert self._message is not None
        given = incoming.headers.get(told.header.lower(), "")
        stamp = incoming.headers.get(told.timestamp_header.lower(), "") if told.timestamp_header else ""
        if told.part is not None:
            parts = dict(one.strip().partition("=")[::2] for one in given.split(","))
            given = parts.get(told.part, "")
            stamp = parts.get(told.timestamp_part, "") if told.timestamp_part else stamp
        if told.timed and not stamp:
            raise self._forged("it has no time", "sign it with its time, as `webhook.hmac` describes")
        # byte for byte: the body is not decoded on the way into the digest
        before, _, after = str(self._message({"body": "\0", "timestamp": stamp or None})).partition("\0")
        message = before.encode() + incoming.body + after.encode()
        wanted = told.prefix + digest(told.secret, told.algorithm, told.encoding, message)
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise self._forged("the signature is wrong", "use one secret in the system and in `webhook.hmac.secret`")
        if told.timed:
            moment = self._moment(stamp, told.timestamp_form)
            if abs(incoming.received_at - moment) > told.window:
                raise self._forged("it was signed too long ago", "set the clocks of both machines right")

    def _moment(self, stamp: str, form: str) -> datetime:
        try:
            return moment_read(stamp, "UTC", form)
        except ValueError:
            raise self._forged("it has no time", "correct `webhook.hmac.timestamp_form`") from None

    def _events(self, told: Webhook, data: Any) -> Iterator[Any]:
        found = data if told.events is None else value_at(data, told.events)
        if found is ABSENT:
            raise BadAnswer(f"a webhook of {self._connection} has no events at {told.events}")
        if not found:
            raise BadAnswer(f"a webhook of {self._connection} without any event")
        yield from found if isinstance(found, list) else [found]

    def _hint(self, told: Webhook, event: Any) -> Iterator[Hint]:
        if not isinstance(event, dict):
            raise BadAnswer(f"a webhook of {self._connection} holds no event: {event!r:.60}")
        object = value_at(event, told.kind) if told.kind is not None else next(iter(self._kinds))
        if not isinstance(object, (str, int)):
            raise BadAnswer(f"a webhook of {self._connection} names no object at {told.kind}")
        if str(object) not in self._kinds:
            return  # about something that is not joined
        kind, make = self._kinds[str(object)]
        id = value_at(event, told.id)
        if id is ABSENT or id is None or isinstance(id, (dict, list)) or id == "":
            raise BadAnswer(f"a webhook of {self._connection} names no record at {told.id}")
        yield Hint(kind, str(id), self._record(told, make, event, str(id)) if told.complete else None)

    def _record(self, told: Webhook, make: Make, event: Any, id: str) -> WireRecord | None:
        """The whole record; None (so that it is read) where this one is not: a delete, or without version and time."""
        if told.complete_when is not None and not told.complete_when.holds(event):
            return None
        row = value_at(event, told.record or "")
        if not isinstance(row, dict):
            return None
        record = make(row)
        return record if record.id == id and (record.version is not None or record.changed_at is not None) else None

    def _forged(self, why: str, remedy: str) -> AccessDenied:
        return AccessDenied(f"webhook of {self._connection}: {why}", remedy=remedy)
