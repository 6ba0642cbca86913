"""Who we are to a REST system: what every request carries to prove it, and what to do when that ends."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from datong.base.clock import Clock
from datong.base.errors import AccessDenied, BadAnswer
from datong.connectors.rest.description import text_at, value_at, whole_at
from datong.connectors.rest.proofs import Auth, Basic, OAuth2, Session, Signed
from datong.connectors.rest.template import compiled
from datong.kit import Context, Http
from datong.mapping.convert import moment_written

EARLY = 30.0
"""Seconds before its end that a token is not used any more."""
_NEED = "check the credentials in the configuration, and the rights of the user they belong to"


class Proof(Protocol):
    def ready(self) -> None:
        """Before a request is made."""

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        """What this request carries."""

    def renew(self) -> bool:
        """The proof was refused: is it worth another try with a new one?"""

    def close(self) -> None: ...


class Fixed:
    """The same for every request."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self._told = dict(told)

    def ready(self) -> None:
        pass

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return self._told

    def renew(self) -> bool:
        return False

    def close(self) -> None:
        pass


class Token:
    """OAuth 2 client credentials: fetched when needed, used until shortly before its end."""

    def __init__(self, told: OAuth2, base_url: str, context: Context, timeout: float) -> None:
        url = told.token_url if "://" in told.token_url else base_url.rstrip("/") + told.token_url
        parts = urlsplit(url)
        self._told = told
        self._clock = context.clock
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._http = Http(f"{parts.scheme}://{parts.netloc}", context.budget, timeout=timeout)
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def ready(self) -> None:
        with self._lock:
            if not self._token or self._clock.monotonic() >= self._until:
                self._fetch()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        with self._lock:
            self._token = ""
        return True

    def close(self) -> None:
        self._http.close()

    def _fetch(self) -> None:
        told, secret = self._told, self._told.client_secret.get_secret_value()
        form = {"grant_type": "client_credentials"}
        form |= {name: value for name in ("scope", "audience") if (value := getattr(told, name)) is not None}
        headers = {}
        if told.sent == "basic":
            headers = {"Authorization": _basic(quote(told.client_id, safe=""), quote(secret, safe=""))}
        else:
            form |= {"client_id": told.client_id, "client_secret": secret}
        reply = self._http.exchange("POST", self._path, form=form, headers=headers, changes=False, allow=(400,))
        answer = reply.data if isinstance(reply.data, dict) else {}
        if reply.status == 400:
            why = text_at(answer, "error_description") or text_at(answer, "error")
            raise AccessDenied(f"no token: {why or 'refused'}", remedy=_NEED)
        if not isinstance(answer.get("access_token"), str):
            raise BadAnswer(f"{told.token_url} gave no access_token")
        self._token = answer["access_token"]
        lasts = float(whole_at(answer, "expires_in") or 300)
        self._until = self._clock.monotonic() + max(lasts - EARLY, lasts / 2)


class Login:
    """A session: logged in before the first request, and again when the system says that it is over."""

    def __init__(self, told: Session) -> None:
        self._told = told
        self._ok = told.ok
        self._lock = threading.Lock()
        self._here = False
        self._headers: Mapping[str, str] = {}
        self._http: Http | None = None

    def bind(self, http: Http) -> None:
        """The client whose cookies the session lives in."""
        self._http = http

    def ready(self) -> None:
        with self._lock:
            if not self._here:
                self._enter()

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        return self._headers

    def renew(self) -> bool:
        with self._lock:
            self._here, self._headers = False, {}
        return True

    def close(self) -> None:
        pass

    def _enter(self) -> None:
        told, call = self._told, self._told.login
        assert self._http is not None
        answer = self._http.exchange(
            call.method,
            call.path,
            params=call.params or None,
            body=call.body,
            headers=call.headers,
            changes=False,
        ).data
        if self._ok is not None and not self._ok.holds(answer):
            raise AccessDenied(f"login refused: {text_at(answer, told.text) or 'no reason given'}", remedy=_NEED)
        if told.token is not None:
            token = value_at(answer, told.token)
            if not isinstance(token, str) or not token:
                raise AccessDenied(f"login gave no token at {told.token}", remedy=_NEED)
            self._headers = {told.header: f"{told.prefix}{token}"}
        self._here = True


class Signature:
    """HMAC over each request."""

    def __init__(self, told: Signed, clock: Clock) -> None:
        self._told = told
        self._clock = clock
        self._message = compiled(told.message)

    def ready(self) -> None:
        pass

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, str]:
        told, parts = self._told, urlsplit(url)
        stamp = str(moment_written(self._clock.now(), "UTC", told.timestamp_form))
        nonce = secrets.token_hex(16)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        known = {"method": method, "path": path, "url": url, "timestamp": stamp, "nonce": nonce}
        shown = self._message({**known, "body": body.decode("utf8")})
        signature = digest(told.secret, told.algorithm, told.encoding, str(shown).encode())
        carried = {told.header: told.prefix + signature}
        carried |= {told.timestamp_header: stamp} if told.timestamp_header else {}
        return carried | ({told.nonce_header: nonce} if told.nonce_header else {})

    def renew(self) -> bool:
        return False

    def close(self) -> None:
        pass


def digest(secret: SecretStr, algorithm: str, encoding: str, message: bytes) -> str:
    made = hmac.new(secret.get_secret_value().encode(), message, getattr(hashlib, algorithm))
    if encoding == "base64":
        return b64encode(made.digest()).decode()
    return made.hexdigest() if encoding == "hex" else b64encode(made.hexdigest().encode()).decode()


def proof(auth: Auth | None, base_url: str, context: Context, timeout: float) -> Proof:
    """The one way that the description names."""
    if auth is None:
        return Fixed({})
    ways: Mapping[str, Callable[[Any], Proof]] = {
        "basic": lambda told: Fixed({"Authorization": _basic_of(told)}),
        "header": lambda told: Fixed({told.name: told.key.get_secret_value()}),
        "bearer": lambda told: Fixed({"Authorization": f"Bearer {told.token.get_secret_value()}"}),
        "oauth2": lambda told: Token(told, base_url, context, timeout),
        "session": Login,
        "signed": lambda told: Signature(told, context.clock),
    }
    way = next(name for name in ways if getattr(auth, name) is not None)
    return ways[way](getattr(auth, way))


def _basic_of(told: Basic) -> str:
    return _basic(told.user, told.password.get_secret_value())


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
