"""What every page has: who looks, in which language; the head, the way to the other pages, errors that can be read."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from nicegui import app, run, ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from datong.base.clock import from_text
from datong.base.errors import DatongError
from datong.operations.access import Access, NotLoggedIn
from datong.operations.actor import Actor
from datong.web.console.words import LANGUAGES, preferred, said
from datong.web.desk import Desk
from datong.web.visitor import COOKIE

T = TypeVar("T")
LANGUAGE_COOKIE, DARK_COOKIE = "datong_language", "datong_dark"

PAGES: tuple[tuple[str, str, str], ...] = (
    ("/", "Overview", "space_dashboard"),
    ("/items", "Work list", "checklist"),
    ("/records", "Records", "search"),
    ("/chain", "Chain", "account_tree"),
    ("/flows", "Flows", "sync_alt"),
    ("/plans", "Plans", "fact_check"),
    ("/runs", "Runs", "undo"),
    ("/reconciliation", "Reconciliation", "balance"),
    ("/connections", "Connections", "cable"),
    ("/journal", "Journal", "history"),
    ("/people", "People", "group"),
)
"""Address, name, icon."""


_SHORT = ("at", "from", "policy", "updated_at", "until", "used_at")
"""Columns of few characters, which are not to be folded."""


@dataclass
class House:
    """What the pages work with."""

    desk: Desk
    access: Access
    zone: str


@dataclass
class Visitor:
    """Who looks at a page, and how."""

    house: House
    secret: str
    language: str
    dark: bool | None

    @property
    def actor(self) -> Actor:
        """Looked up at each act, for the session may have ended. Raises NotLoggedIn."""
        return self.house.access.of_session(self.secret)

    @property
    def desk(self) -> Desk:
        return self.house.desk

    def t(self, text: str, **values: Any) -> str:
        """A text of the console in the visitor's language."""
        told = said(text, self.language)
        return told.format(**values) if values else told

    def when(self, moment: str | datetime | None) -> str:
        """A time as the company's clock shows it."""
        if moment is None or moment == "":
            return "–"
        at = from_text(moment) if isinstance(moment, str) else moment
        return at.astimezone(ZoneInfo(self.house.zone)).strftime("%Y-%m-%d %H:%M:%S")

    async def ask(self, task: Callable[[], T]) -> T | None:
        """Done in a thread; what goes wrong is told on the page, and None given."""
        try:
            return await run.io_bound(task)
        except NotLoggedIn:
            ui.navigate.to("/login")
        except DatongError as error:
            told = str(error) if not error.remedy else f"{error} – {error.remedy}"
            ui.notify(told, type="negative", multi_line=True, timeout=15_000, close_button=self.t("Close"))
        return None


def house() -> House:
    """That of the service whose pages these are."""
    one: House = app.state.house
    return one


def visitor(request: Request) -> Visitor:
    """Raises NotLoggedIn."""
    secret = request.cookies.get(COOKIE, "")
    found = Visitor(house(), secret, language_of(request), _dark(request))
    _ = found.actor
    return found


def language_of(request: Request) -> str:
    """What the visitor chose, else what the browser asks for first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def _dark(request: Request) -> bool | None:
    return {"1": True, "0": False}.get(request.cookies.get(DARK_COOKIE, ""))


async def page(request: Request, title: str, build: Callable[[Visitor], Awaitable[None]]) -> Response | None:
    """One page in its frame; whoever is not logged in is sent to do so, and comes back here."""
    try:
        who = visitor(request)
    except NotLoggedIn:
        there = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(there, safe='')}", 303)
    _speak(who)
    _framed(who, request.url.path, title)
    with ui.column().classes("w-full max-w-screen-2xl mx-auto p-3 md:p-5 gap-4").props("role=main"):
        await build(who)
    return None


def _speak(who: Visitor) -> None:
    """The page's language is that of its decorator; this page alone has the visitor's."""
    client = ui.context.client
    client.page = copy.copy(client.page)
    client.page.language = "zh-CN" if who.language == "zh" else "en-US"
    ui.dark_mode(who.dark)
    ui.colors(primary="#0f766e", secondary="#334155", accent="#b45309", positive="#15803d", negative="#b91c1c")


def _framed(who: Visitor, path: str, title: str) -> None:
    ui.page_title(f"{who.t(title)} · Datong 打通")
    drawer = ui.left_drawer(bordered=True).props("width=220 breakpoint=900").classes("p-2")
    with drawer, ui.list().classes("w-full").props(f'role=navigation aria-label="{who.t("Pages")}"'):
        for at, name, icon in PAGES:
            here = path == at or (at != "/" and path.startswith(at))
            with ui.item(on_click=lambda at=at: ui.navigate.to(at)).classes(
                "rounded" + (" bg-primary/10" if here else "")
            ):
                with ui.item_section().props("avatar"):
                    ui.icon(icon).props("aria-hidden=true")
                with ui.item_section():
                    ui.item_label(who.t(name)).classes("font-medium" if here else "")
    with ui.header().classes("items-center px-3 py-1 bg-secondary text-white gap-2"):
        ui.button(icon="menu", on_click=drawer.toggle).props(
            f'flat dense round color=white aria-label="{who.t("Menu")}"'
        )
        ui.label(who.t(title)).classes("text-lg font-medium").props("role=heading aria-level=1")
        ui.space()
        other = "en" if who.language == "zh" else "zh"
        there = quote(path, safe="")
        ui.link(LANGUAGES[other], f"/language?to={other}&next={there}").classes("text-white no-underline px-2")
        icon, to = ("light_mode", "0") if who.dark else ("dark_mode", "1")
        ui.button(icon=icon, on_click=lambda: ui.navigate.to(f"/dark?to={to}&next={there}")).props(
            f'flat dense round color=white aria-label="{who.t("Light or dark")}"'
        )
        with ui.button(icon="person").props(f'flat dense round color=white aria-label="{who.t("You")}"'), ui.menu():
            with ui.item():
                ui.item_label(f"{who.actor.name} · {', '.join(who.t(role) for role in who.actor.roles)}")
            ui.menu_item(who.t("Log out"), on_click=lambda: ui.navigate.to("/logout"))


def card() -> ui.card:
    return ui.card().classes("w-full shadow-none border border-gray-200 dark:border-gray-700")


def heading(text: str) -> None:
    ui.label(text).classes("text-base font-medium").props("role=heading aria-level=2")


def empty(text: str) -> None:
    """Nothing to see, and why that is well or what to do."""
    with ui.row().classes("items-center text-gray-600 dark:text-gray-300 p-2"):
        ui.icon("inbox").props("aria-hidden=true")
        ui.label(text)


def rows(who: Visitor, columns: Mapping[str, str], items: list[dict[str, Any]], key: str = "id") -> ui.table:
    """A table; on a narrow screen each row becomes a card."""
    told = [
        {
            "name": name,
            "label": who.t(label),
            "field": name,
            "align": "left",
            "classes": "whitespace-pre-line break-words",
            "style": "min-width: 7.5rem" if name in _SHORT else "",
        }
        for name, label in columns.items()
    ]
    return (
        ui.table(columns=told, rows=items, row_key=key)
        .classes("w-full")
        .props('flat wrap-cells :grid="window.innerWidth < 600"')
    )


def button(text: str, act: Callable[[], Any], icon: str = "", *, main: bool = False) -> ui.button:
    made = ui.button(text, on_click=act, icon=icon or None)
    return made.props("no-caps" + ("" if main else " outline"))


async def busy(who: Visitor, task: Callable[[], T]) -> T | None:
    """Long work, with a sign that it goes on."""
    sign = ui.notification(who.t("At work …"), spinner=True, timeout=None)
    try:
        return await who.ask(task)
    finally:
        sign.dismiss()
