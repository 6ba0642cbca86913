"""Who is asking: the session in a cookie of a browser, or a token of a program."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from datong.operations.access import Access, NotLoggedIn
from datong.operations.actor import Actor

COOKIE = "datong_session"
ASKED_BY_US = "x-datong"
"""A header that no foreign page can send along with the cookie: what changes something asks for it."""
_SAFE = ("GET", "HEAD", "OPTIONS")


def actor(access: Access, request: HTTPConnection) -> Actor:
    """Raises NotLoggedIn."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return access.of_token(secret.strip())
    if (method := request.scope.get("method", "GET")) not in _SAFE and ASKED_BY_US not in request.headers:
        raise NotLoggedIn(f"a {method} with the cookie needs the header X-Datong", remedy="programs use a token")
    return access.of_session(request.cookies.get(COOKIE, ""))


def keep(response: Response, secret: str, *, secure: bool) -> None:
    """The session goes with every request from our own pages, and from no other."""
    response.set_cookie(COOKIE, secret, httponly=True, secure=secure, samesite="lax", path="/")


def forget(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/")
