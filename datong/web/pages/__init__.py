"""The public pages: articles, how one's own document stands, satisfaction, and the form. Plain HTML, rendered here.

No script, no cookie, nothing from elsewhere. A link that does not hold is answered like one that never was.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from anyio import to_thread
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from datong.base import log, tickets
from datong.base.clock import Clock
from datong.base.errors import StoreError
from datong.base.tickets import Ticket, key_in
from datong.bootstrap.build import App
from datong.engine.landscape import Conn
from datong.flows.notices import RATE, SEE
from datong.kit import Hint, Posted, Takes
from datong.operations.public import Desk
from datong.web.pages.words import WORDS

HERE = Path(__file__).parent
FORM = "form"
"""What the ticket within a form is for: it was shown here, not long ago, and is sent once."""
_SHOWN_FOR = timedelta(hours=6)
_FIELD_BYTES = 60_000
_TEXT_BYTES = 200_000
"""All fields of a form but its files."""
_FIELDS = ("name", "email", "phone", "order", "subject", "text")
_ANOTHER = 2000
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
Keep = Callable[[str, Hint, datetime], Awaitable[None]]
"""Tells the engine that a message was put down."""


class Pace:
    """So many an hour from one place, and many times that from all together. In memory: of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def admits(self, place: str, per_hour: int) -> bool:
        now = self._clock.monotonic()
        for name, most in ((place, per_hour), ("", per_hour * 50)):
            times = self._seen.setdefault(name, deque())
            while times and times[0] <= now - 3600:
                times.popleft()
            if len(times) >= most:
                return False
        for name in (place, ""):
            self._seen[name].append(now)
            self._seen.move_to_end(name)
        while len(self._seen) > _ANOTHER:
            self._seen.popitem(last=False)
        return True


@dataclass
class Site:
    """What the pages work with."""

    app: App
    keep: Keep
    desk: Desk
    base: str
    zone: str
    pace: Pace
    world: Environment = field(init=False)

    def __post_init__(self) -> None:
        self.world = Environment(
            loader=FileSystemLoader(HERE),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def takers(self) -> dict[str, Conn]:
        """Connections that keep what is left with them."""
        return {n: c for n, c in self.app.landscape.connections.items() if isinstance(c.connector, Takes)}

    def form_of(self, name: str) -> tuple[Takes, Any] | None:
        """The connection of that name and what its form is like; None where it has none."""
        conn = self.takers().get(name)
        form = getattr(conn.connector.settings, "form", None) if conn is not None else None
        return (conn.connector, form) if conn is not None and form is not None else None  # type: ignore[return-value]

    def first_form(self) -> str:
        return next((name for name in self.takers() if self.form_of(name) is not None), "")

    def page(
        self, request: Request, template: str, status: int = 200, *, private: bool = False, **told: Any
    ) -> Response:
        language = _language(request)
        words = WORDS[language]
        text = self.world.get_template(f"{template}.html").render(
            w=words,
            lang=language,
            base=self.base,
            switch=f"?{urlencode({**request.query_params, 'lang': 'en' if language == 'zh' else 'zh'})}",
            form=self.first_form(),
            shown=lambda value: self._shown(value, language),
            **told,
        )
        headers = {**_HEADERS, **(_PRIVATE if private else {}), "Content-Language": language, "Vary": "Accept-Language"}
        return Response(text, status, headers, "text/html; charset=utf-8")

    def _shown(self, value: Any, language: str) -> str:
        if isinstance(value, datetime):
            value = value.astimezone(ZoneInfo(self.zone)).date()
        if isinstance(value, date):
            chinese = f"{value.year}年{value.month}月{value.day}日"
            return chinese if language == "zh" else f"{value:%d %B %Y}".lstrip("0")
        return WORDS[language]["states"].get(str(value), str(value)) if value is not None else ""


def routes(app: App, keep: Keep, zone: str) -> list[Route]:
    """Under `/p/`, where the configuration says under which address customers reach them; else none."""
    url = app.config.service.public_url
    if not url:
        return []
    desk = Desk(app.store, app.landscape, app.clock, key_in(app.config.keys_folder()))
    site = Site(app, keep, desk, urlsplit(url).path.rstrip("/") + "/p", zone, Pace(app.clock))

    def served(act: Callable[[Site, Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await act(site, request)
            except (StoreError, OSError) as error:
                log.get("web").warning("a page could not be shown", cause=str(error))
                return site.page(request, "message", 503, private=True, title="later", text="later_text")

        return answer

    return [
        Route("/p/", served(_home)),
        Route("/p/style.css", _style),
        Route("/p/article/{number}", served(_article)),
        Route("/p/see/{ticket}", served(_see)),
        Route("/p/rate/{ticket}", served(_rate), methods=["GET", "POST"]),
        Route("/p/write/{connection}", served(_write), methods=["GET", "POST"]),
        Route("/p/sent", served(_sent)),
    ]


def _language(request: Request) -> str:
    """What is asked for, else what the browser prefers."""
    asked = request.query_params.get("lang")
    if asked in WORDS:
        return str(asked)
    for one in request.headers.get("accept-language", "").split(","):
        code = one.split(";")[0].strip().lower()[:2]
        if code in WORDS:
            return code
    return "zh"


async def _style(request: Request) -> Response:
    text = (HERE / "style.css").read_text(encoding="utf8")
    return Response(text, headers={**_HEADERS, "Cache-Control": "max-age=3600"}, media_type="text/css")


async def _home(site: Site, request: Request) -> Response:
    question = request.query_params.get("q", "")[:200]
    found = await to_thread.run_sync(site.desk.articles, question)
    return site.page(request, "home", question=question, articles=found)


async def _article(site: Site, request: Request) -> Response:
    found = await to_thread.run_sync(site.desk.article, request.path_params["number"][:100])
    return _nothing(site, request) if found is None else site.page(request, "article", article=found)


def _nothing(site: Site, request: Request) -> Response:
    """One answer for whatever is not there, was taken back, or has run out."""
    return site.page(request, "message", 404, private=True, title="nothing", text="nothing_text")


async def _see(site: Site, request: Request) -> Response:
    text = request.path_params["ticket"]
    ticket = await to_thread.run_sync(site.desk.ticket, text, SEE)
    told = await to_thread.run_sync(site.desk.state, ticket.of) if ticket is not None else None
    if told is None:
        return _nothing(site, request)
    return site.page(request, "state", private=True, told=told, ticket=text)


async def _rate(site: Site, request: Request) -> Response:
    """One click, and only by sending the page: programs that follow the links of a mail say nothing in its name."""
    text = request.path_params["ticket"]
    ticket = await to_thread.run_sync(site.desk.ticket, text, RATE)
    takers = site.takers()
    if ticket is None or not takers:
        return _nothing(site, request)
    if await to_thread.run_sync(site.desk.rated, ticket.of):
        return site.page(request, "message", private=True, title="thanks", text="rated_text")
    if request.method == "GET":
        return site.page(request, "rate", private=True, ticket=text)
    form = await _form(request, _TEXT_BYTES, 0, _FIELD_BYTES)
    score = str(form.get("score") or "")
    if score not in ("1", "2", "3", "4", "5"):
        return site.page(request, "rate", 422, private=True, ticket=text)
    name, conn = next(iter(takers.items()))
    posted = Posted(
        id=f"rate {ticket.of}",
        channel="web",
        received=site.app.clock.now(),
        text=str(form.get("remark") or "")[:2000],
        subject="",
        about=ticket.of,
        score=int(score),
    )
    await _put_down(site, name, conn.connector, posted)
    return _redirect(site, request, "rated")


async def _write(site: Site, request: Request) -> Response:
    name = request.path_params["connection"]
    found = site.form_of(name)
    if found is None:
        return _nothing(site, request)
    taker, form = found
    if request.method == "GET":
        return await _empty_form(site, request, name, form)
    if not _from_here(request):
        return _refused(site, request, 403, "elsewhere")
    largest = form.files * form.file_bytes + _TEXT_BYTES
    told = await _form(request, largest, form.files, max(form.file_bytes, _FIELD_BYTES))
    ticket = tickets.read(site.desk.key, str(told.get("ticket") or ""), site.app.clock.now())
    if ticket is None or ticket.purpose != FORM or ticket.of.partition(":")[0] != name:
        return _refused(site, request, 403, "old_form")
    if told.get("website"):  # a field that people do not see: who fills it in is no person
        log.get("web").info("a form was filled in by a program", connection=name)
        return _redirect(site, request, "sent")
    wrong = _wrong(told)
    if wrong:
        return await _empty_form(site, request, name, form, told, wrong, 422)
    files = [one for one in told.getlist("files") if isinstance(one, UploadFile) and one.filename]
    if any((one.size or 0) > form.file_bytes for one in files):
        return await _empty_form(site, request, name, form, told, "file_large", 413)
    if not site.pace.admits(request.client.host if request.client else "", form.per_hour):
        return _refused(site, request, 429, "too_many")
    posted = await _posted(site, name, ticket, told, files)
    await _put_down(site, name, taker, posted)
    return _redirect(site, request, "sent")


async def _empty_form(
    site: Site,
    request: Request,
    name: str,
    form: Any,
    told: Mapping[str, Any] | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    now = site.app.clock.now()
    fresh = Ticket(FORM, f"{name}:{secrets.token_hex(8)}", now, now + _SHOWN_FOR)
    about = str((told or request.query_params).get("about") or "")
    known = await to_thread.run_sync(site.desk.ticket, about, SEE) if about else None
    return site.page(
        request,
        "write",
        status,
        private=True,
        name=name,
        settings=form,
        ticket=tickets.written(site.desk.key, fresh),
        about=about if known is not None else "",
        values={
            key: str((told or {}).get(key) or "") for key in ("name", "email", "phone", "order", "subject", "text")
        },
        wrong=wrong,
    )


def _wrong(told: FormData) -> str:
    """The word for what is missing."""
    email, phone, text = (str(told.get(name) or "").strip() for name in ("email", "phone", "text"))
    if not text:
        return "no_text"
    if told.get("about"):
        return ""
    if not email and not phone:
        return "no_address"
    local, _, domain = email.rpartition("@")
    return "bad_address" if email and (not local or "." not in domain or any(one.isspace() for one in email)) else ""


async def _posted(site: Site, name: str, ticket: Ticket, told: FormData, files: list[UploadFile]) -> Posted:
    def said(field: str, longest: int) -> str:
        return str(told.get(field) or "").strip()[:longest]

    proof = await to_thread.run_sync(site.desk.ticket, said("about", 400), SEE)
    thread = await to_thread.run_sync(site.desk.thread, proof.of) if proof is not None else ""
    subject = said("subject", 200) or said("text", 80).split("\n")[0]
    order = said("order", 60)
    return Posted(
        id=f"form {ticket.of}",
        channel="web",
        received=site.app.clock.now(),
        text="\n".join(filter(None, (said("text", 20_000), f"订单 order: {order}" if order else ""))),
        subject=subject,
        thread=thread,
        sender=said("email", 300).lower(),
        sender_name=said("name", 200),
        phone=said("phone", 60),
        about=proof.of if proof is not None else "",
        files=[(one.filename or "", one.content_type or "", await one.read()) for one in files],
    )


async def _put_down(site: Site, name: str, taker: Any, posted: Posted) -> None:
    """On the disk first; that the engine is told at once only makes it quicker."""
    hint = await to_thread.run_sync(taker.take, posted)
    await site.keep(name, hint, posted.received)


async def _form(request: Request, largest: int, files: int, part: int) -> FormData:
    """Raises HTTPException for what is larger than it may be, or does not say how large it is."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "how long it is must be said")
    if int(length) > largest:
        raise HTTPException(413, f"more than {largest} bytes")
    return await request.form(max_files=files, max_fields=30, max_part_size=part)


def _from_here(request: Request) -> bool:
    """A browser says where a form was sent from; what says nothing is no browser."""
    site = request.headers.get("sec-fetch-site")
    return site in (None, "same-origin", "none")


def _refused(site: Site, request: Request, status: int, word: str) -> Response:
    return site.page(request, "message", status, private=True, title="refused", text=word)


def _redirect(site: Site, request: Request, what: str) -> Response:
    return RedirectResponse(f"{site.base}/sent?what={what}&lang={_language(request)}", 303, headers=_HEADERS)


async def _sent(site: Site, request: Request) -> Response:
    rated = request.query_params.get("what") == "rated"
    return site.page(request, "message", private=True, title="thanks", text="rated_now_text" if rated else "sent_text")
