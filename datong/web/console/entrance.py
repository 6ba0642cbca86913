"""Coming in and going out: the log-in page, the link from the command line, language and colours."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from datong.base.errors import DatongError
from datong.operations.access import Access
from datong.web.console.frame import DARK_COOKIE, LANGUAGE_COOKIE, language_of
from datong.web.console.words import LANGUAGES, said
from datong.web.visitor import COOKIE, forget, keep

_YEAR = 365 * 86400
_LONGEST = 10_000


def routes(access: Access) -> list[Route]:
    async def form(request: Request) -> Response:
        """The form; or straight in, where the link has an entry."""
        entry = request.query_params.get("entry", "")
        if not entry:
            return _form(request)
        try:
            _, secret = await run_in_threadpool(access.redeem, entry)
        except DatongError as error:
            return _form(request, error)
        return _inside(request, secret, "/")

    async def enter(request: Request) -> Response:
        if int(request.headers.get("content-length") or _LONGEST + 1) > _LONGEST:
            return HTMLResponse("too long", 413)
        async with request.form(max_files=0, max_fields=5) as told:
            name, password, there = (str(told.get(field, "")) for field in ("name", "password", "next"))
        try:
            _, secret = await run_in_threadpool(access.log_in, name.strip(), password)
        except DatongError as error:
            return _form(request, error, name, there)
        return _inside(request, secret, there)

    async def leave(request: Request) -> Response:
        await run_in_threadpool(access.log_out, request.cookies.get(COOKIE, ""))
        gone = RedirectResponse("/login", 303)
        forget(gone)
        return gone

    async def language(request: Request) -> Response:
        to = request.query_params.get("to", "")
        return _remembered(request, LANGUAGE_COOKIE, to if to in LANGUAGES else "en")

    async def dark(request: Request) -> Response:
        return _remembered(request, DARK_COOKIE, "1" if request.query_params.get("to") == "1" else "0")

    return [
        Route("/login", form),
        Route("/login", enter, methods=["POST"]),
        Route("/logout", leave),
        Route("/language", language),
        Route("/dark", dark),
    ]


def here(path: str) -> str:
    """Where to go next: a path of ours, never another site."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path and "\r" not in path
    return path if own else "/"


def _inside(request: Request, secret: str, there: str) -> Response:
    answer = RedirectResponse(here(there), 303)
    keep(answer, secret, secure=request.url.scheme == "https")
    return answer


def _remembered(request: Request, cookie: str, value: str) -> Response:
    answer = RedirectResponse(here(request.query_params.get("next", "/")), 303)
    answer.set_cookie(cookie, value, max_age=_YEAR, samesite="lax", path="/")
    return answer


def _form(request: Request, error: DatongError | None = None, name: str = "", there: str = "") -> Response:
    from jinja2 import Environment, PackageLoader

    language = language_of(request)
    page = Environment(loader=PackageLoader(__package__), autoescape=True).get_template("login.html")
    told = page.render(
        language="zh-CN" if language == "zh" else "en",
        t=lambda text: said(text, language),
        error=error,
        name=name,
        next=here(there or request.query_params.get("next", "/")),
        other=next(one for one in LANGUAGES if one != language),
        languages=LANGUAGES,
    )
    return HTMLResponse(told, 401 if error else 200, headers={"Cache-Control": "no-store"})
