"""Events on their way out: one thread per system posts them in order and tries again with back-off."""

import heapq
import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from datong.sandbox.clock import SECOND, Clock
from datong.sandbox.refusals import BadRequest

BACKOFF = (1, 2, 4, 8, 16, 32, 64)
_TIMEOUT = 5.0


@dataclass(slots=True)
class Subscription:
    id: str | int
    url: str
    secret: str
    delivered: int = 0
    failed: int = 0
    pending: int = 0

    def wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "delivered": self.delivered,
            "failed": self.failed,
            "pending": self.pending,
        }


@dataclass(order=True, slots=True)
class _Delivery:
    due: int
    number: int
    subscription: Subscription = field(compare=False)
    body: bytes = field(compare=False)
    attempt: int = field(default=0, compare=False)


class Webhooks:
    """`headers(secret, body)` signs in the manner of the system, at the moment of sending."""

    def __init__(self, clock: Clock, headers: Callable[[str, bytes], dict[str, str]]) -> None:
        self._clock = clock
        self._headers = headers
        self._wake = threading.Condition()
        self._queue: list[_Delivery] = []
        self._subscriptions: dict[str | int, Subscription] = {}
        self._count = 0
        self._in_flight = False
        self._thread: threading.Thread | None = None
        self._stopped = False

    def subscribe(self, key: Callable[[int], str | int], url: object, secret: object) -> Subscription:
        if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise BadRequest("url must be an http address")
        with self._wake:
            self._count += 1
            subscription = Subscription(key(self._count), url, str(secret or ""))
            self._subscriptions[subscription.id] = subscription
            self._start()
            return subscription

    def unsubscribe(self, id: str | int) -> bool:
        with self._wake:
            found = self._subscriptions.pop(id, None)
            self._queue = [one for one in self._queue if one.subscription is not found]
            heapq.heapify(self._queue)
            return found is not None

    def subscriptions(self) -> list[dict[str, Any]]:
        with self._wake:
            return [one.wire() for one in self._subscriptions.values()]

    def clear(self) -> None:
        with self._wake:
            self._subscriptions.clear()
            self._queue.clear()

    def send(self, body: bytes, copies: int = 1, delay: float = 0.0) -> None:
        due = self._clock.micros() + round(delay * SECOND)
        with self._wake:
            for subscription in self._subscriptions.values():
                for _ in range(copies):
                    self._count += 1
                    subscription.pending += 1
                    heapq.heappush(self._queue, _Delivery(due, self._count, subscription, body))
            self._wake.notify_all()

    def wanted(self) -> bool:
        return bool(self._subscriptions)

    def idle(self) -> bool:
        with self._wake:
            return not self._queue and not self._in_flight

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread:
            self._thread.join(_TIMEOUT + 1)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (delivery := self._next()) is not None:
            subscription = delivery.subscription
            answered = _post(subscription.url, delivery.body, self._headers(subscription.secret, delivery.body))
            with self._wake:
                self._in_flight = False
                self._settle(delivery, answered)

    def _next(self) -> _Delivery | None:
        """Waits for the next delivery that is due; None when stopped."""
        with self._wake:
            while not self._stopped:
                if self._queue and self._queue[0].due <= self._clock.micros():
                    self._in_flight = True
                    return heapq.heappop(self._queue)
                self._wake.wait(0.02 if self._queue else None)
        return None

    def _settle(self, delivery: _Delivery, answered: bool) -> None:
        subscription = delivery.subscription
        if not answered and delivery.attempt < len(BACKOFF) and subscription.id in self._subscriptions:
            delivery.due = self._clock.micros() + BACKOFF[delivery.attempt] * SECOND
            delivery.attempt += 1
            heapq.heappush(self._queue, delivery)
            return
        subscription.pending -= 1
        subscription.delivered += answered
        subscription.failed += not answered


def _post(url: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether the receiver took it."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
