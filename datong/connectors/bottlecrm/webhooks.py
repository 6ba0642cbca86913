"""BottleCRM's webhooks: `X-BottleCRM-Signature: t=<unix>,v1=<hex HMAC-SHA256(secret, "<t>." + body)>`.

Every attempt is signed anew, so a late retry is within the window too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta

from datong.base import json
from datong.base.errors import AccessDenied, BadAnswer
from datong.kit import Hint, Incoming

WINDOW = timedelta(minutes=5)
KINDS = ("account", "contact")


def hints(incoming: Incoming, secret: str) -> Sequence[Hint]:
    """What a webhook points at; nothing for events that we have no use for."""
    verify(incoming, secret)
    try:
        body = json.loads(incoming.body)
        kind, _, what = str(body["event"]).partition(".")
        if kind not in KINDS or not what:
            return ()
        return (Hint(kind, str(body["data"]["id"])),)
    except (ValueError, KeyError, TypeError) as error:
        raise BadAnswer(f"a signed webhook without sense: {error!r}") from error


def verify(incoming: Incoming, secret: str) -> None:
    """Raises AccessDenied for a signature that is missing, wrong, or older or newer than the window."""
    header = incoming.headers.get("x-bottlecrm-signature", "")
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamp = next((value for name, _, value in parts if name == "t"), "")
    given = [value.encode() for name, _, value in parts if name == "v1"]
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + incoming.body, hashlib.sha256).hexdigest().encode()
    if not stamp.isdecimal() or not any(hmac.compare_digest(one, expected) for one in given):
        raise AccessDenied("a webhook with a wrong signature", remedy="is webhook_secret that of this webhook?")
    if abs(incoming.received_at.timestamp() - int(stamp)) > WINDOW.total_seconds():
        raise AccessDenied(
            "a webhook signed too long ago or ahead of time", remedy="compare the clocks of both servers"
        )
