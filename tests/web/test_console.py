"""The console in a real browser, against a service that was started as people start it."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ruamel.yaml import YAML

from datong.bootstrap.init import SandboxAnswers, write_config
from datong.canon.catalogue import KINDS
from datong.cli.event_reference import MEANING
from datong.flows import FLOWS
from datong.operations.actor import ROLES
from datong.sandbox import Sandbox
from datong.web.console import chain, entrance, words

from .stage import until

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
PEOPLE = {"li.na": "admin", "zhao.min": "viewer"}
PASSWORD = "四个 不同 的词 好记好记"
PAGES = {
    "/": ("Overview", "总览"),
    "/items": ("Work list", "待办事项"),
    "/records": ("Records", "记录"),
    "/chain": ("Chain", "单据链"),
    "/flows": ("Flows", "接触点"),
    "/plans": ("Plans", "计划"),
    "/runs": ("Runs", "运行"),
    "/reconciliation": ("Reconciliation", "对账"),
    "/connections": ("Connections", "连接"),
    "/journal": ("Journal", "日志"),
    "/people": ("People", "人员"),
}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


class Desk:
    """A service over a sandbox in which both sides have customers, some of them to be reviewed."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox(seed=1, size=60)
        self.sandbox.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.config = write_config(folder, SandboxAnswers(self.sandbox.crm.url, self.sandbox.erp.url, 1))
        yaml = YAML()
        told = yaml.load(self.config.read_text(encoding="utf8"))
        told["people"] = {name: {"roles": [role]} for name, role in PEOPLE.items()}
        told["people"]["li.na"]["os_user"] = _me()
        told["service"]["port"] = port
        with self.config.open("w", encoding="utf8") as file:
            yaml.dump(told, file)
        self.datong("sync", expected=(0, 1))
        for person in PEOPLE:
            self.datong("people", "password", person, given=PASSWORD + "\n")
        with (folder / "run.log").open("wb") as log:
            command = [sys.executable, "-m", "datong.cli", "--config", str(self.config), "run"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._answers, "the console answers")

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the service ended"
        try:
            return httpx2.get(self.url + "/login", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def datong(self, *words: str, given: str = "", expected: tuple[int, ...] = (0,)) -> str:
        command = [sys.executable, "-m", "datong.cli", "--config", str(self.config), *words]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        assert done.returncode in expected, done.stderr
        return done.stdout

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(60) == 0
        finally:
            self.process.kill()
            self.sandbox.stop()


def _me() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    one = Desk(tmp_path_factory.mktemp("console"))
    yield one
    one.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


class Window:
    """A browser window of one person; what goes wrong in the page is kept."""

    def __init__(self, browser: Any, desk: Desk, locale: str = "en-US", width: int = 1280) -> None:
        self._desk = desk
        self.context = browser.new_context(locale=locale, viewport={"width": width, "height": 900})
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.wrong: list[str] = []
        self.page.on("console", lambda told: self.wrong.append(told.text) if told.type == "error" else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        own = (self._desk.url, self._desk.url.replace("http", "ws"), "data:", "blob:")
        if not request.url.startswith(own):
            self.wrong.append(f"asks another host: {request.url}")

    def enter(self, person: str, password: str = PASSWORD) -> None:
        self.page.goto(self._desk.url + "/login")
        self.page.fill("#name", person)
        self.page.fill("#password", password)
        self.page.press("#password", "Enter")
        self.page.wait_for_load_state("load")

    def open(self, path: str, title: str) -> None:
        self.page.goto(self._desk.url + path)
        self.page.get_by_role("heading", name=title, exact=True, level=1).wait_for()


@needs_chromium
@pytest.mark.parametrize(("locale", "width"), [("en-US", 1280), ("zh-CN", 390)])
def test_every_page_in_both_languages(browser: Any, desk: Desk, locale: str, width: int) -> None:
    window = Window(browser, desk, locale, width)
    window.enter("li.na")
    for path, titles in PAGES.items():
        window.open(path, titles[locale == "zh-CN"])
        assert window.page.locator("html").get_attribute("lang") == locale
        wide = window.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide"
    assert window.wrong == []
    window.context.close()


@needs_chromium
def test_coming_in_and_going_out(browser: Any, desk: Desk) -> None:
    window = Window(browser, desk)
    window.page.goto(desk.url + "/records?text=%E4%B8%8A%E6%B5%B7")
    window.page.fill("#name", "li.na")
    window.page.fill("#password", "wrong")
    window.page.press("#password", "Enter")
    window.page.get_by_role("alert").get_by_text("name or password is wrong").wait_for()
    window.page.fill("#password", PASSWORD)
    window.page.press("#password", "Enter")
    window.page.wait_for_url("**/records?text=%E4%B8%8A%E6%B5%B7")
    window.page.get_by_role("button", name="You").click()
    window.page.get_by_text("Log out").click()
    window.page.wait_for_url("**/login")
    window.page.goto(desk.url + "/journal")
    window.page.wait_for_url("**/login?next=%2Fjournal")
    window.context.close()


@needs_chromium
def test_a_link_from_the_command_line_is_good_once(browser: Any, desk: Desk) -> None:
    link = desk.datong("console").strip()
    window = Window(browser, desk)
    window.page.goto(link)
    window.page.get_by_role("heading", name="Overview", level=1).wait_for()
    other = Window(browser, desk)
    other.page.goto(link)
    other.page.get_by_role("alert").get_by_text("this link is used or too old").wait_for()
    window.context.close()
    other.context.close()


@needs_chromium
def test_a_review_is_settled_and_a_viewer_settles_none(browser: Any, desk: Desk) -> None:
    viewer = Window(browser, desk)
    viewer.enter("zhao.min")
    viewer.open("/items", "Work list")
    viewer.page.get_by_role("button", name="They are two").click()
    viewer.page.get_by_text("zhao.min may not separate records").wait_for()
    viewer.context.close()
    window = Window(browser, desk)
    window.enter("li.na")
    window.open("/items?cause=possible%20match", "Work list")
    window.page.get_by_role("button", name="They are two").click()
    window.page.get_by_text("Done; the next cycle carries it out.").wait_for()
    window.open("/journal", "Journal")
    window.page.get_by_role("cell", name="separated").first.wait_for()
    assert window.wrong == []
    window.context.close()


@needs_chromium
def test_a_record_and_its_pause(browser: Any, desk: Desk) -> None:
    window = Window(browser, desk)
    window.enter("li.na")
    window.open("/records?kind=account", "Records")
    window.page.locator("tbody tr").first.click()
    window.page.get_by_role("heading", name="Record", exact=True).wait_for()
    window.page.get_by_role("button", name="Pause").click()
    window.page.get_by_role("button", name="Release").click()
    window.page.get_by_role("button", name="Pause").wait_for()
    window.page.get_by_role("heading", name="What happened").wait_for()
    assert window.wrong == []
    window.context.close()


@needs_chromium
def test_a_plan_is_made_and_shown(browser: Any, desk: Desk) -> None:
    window = Window(browser, desk)
    window.enter("li.na")
    window.open("/plans", "Plans")
    window.page.get_by_role("button", name="Make a plan of everything").click()
    window.page.get_by_role("heading", name="Plan", exact=True, level=1).wait_for()
    window.page.get_by_role("button", name="Apply").wait_for()
    window.context.close()


@needs_chromium
def test_both_sides_are_compared_and_the_report_is_a_page(browser: Any, desk: Desk) -> None:
    window = Window(browser, desk, "zh-CN")
    window.enter("li.na")
    window.open("/reconciliation", "对账")
    window.page.get_by_role("button", name="立即对账").click()
    window.page.wait_for_url("**/reports/reconcile-*", timeout=120_000)
    assert window.page.locator("h1:visible").count() == 1
    assert window.wrong == []
    window.context.close()


@needs_chromium
def test_a_run_is_taken_back_by_a_plan(browser: Any, desk: Desk) -> None:
    window = Window(browser, desk)
    window.enter("li.na")
    window.open("/runs", "Runs")
    window.page.get_by_role("cell", name="sync", exact=True).last.click()
    window.page.get_by_role("heading", name="What is taken back").wait_for(timeout=120_000)
    assert window.wrong == []
    window.context.close()


@needs_chromium
def test_what_a_browser_is_told(desk: Desk) -> None:
    answer = httpx2.get(desk.url + "/login", trust_env=False)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    form = {"name": "li.na", "password": PASSWORD, "next": "//evil.example/"}
    inside = httpx2.post(desk.url + "/login", data=form, trust_env=False)
    assert inside.headers["location"] == "/"
    cookie = inside.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower()
    secret = {"Cookie": cookie.partition(";")[0]}
    assert httpx2.get(desk.url + "/api/v1/me", headers=secret, trust_env=False).json()["name"] == "li.na"
    forged = httpx2.post(desk.url + "/api/v1/sync", json={}, headers=secret, trust_env=False)
    assert forged.status_code == 401, "a foreign page can send the cookie, but not our header"


def test_each_document_of_a_chain_has_a_place_of_its_own() -> None:
    kinds = ["quote", "order", "shipment", "shipment", "invoice", "invoice", "invoice", "payment"]
    at = chain.places([{"record": number, "kind": kind} for number, kind in enumerate(kinds)])
    assert len(set(at.values())) == len(kinds)
    assert [x for x, _ in at.values()] == sorted(x for x, _ in at.values()), "what came later stands further right"
    assert {at[4][0], at[5][0], at[6][0]} == {at[4][0]}, "those of a kind stand below one another"


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/a\nb", ""]
)
def test_the_way_on_is_never_another_site(path: str) -> None:
    assert entrance.here(path) == "/"


@pytest.mark.parametrize(
    ("told", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("fr-FR,zh;q=0.5", "zh"),
        ("fr", "en"),
        ("", "en"),
        ("zh;q=nonsense", "en"),
    ],
)
def test_the_language_that_the_browser_asks_for(told: str, language: str) -> None:
    assert words.preferred(told) == language


def test_everything_is_said_in_chinese() -> None:
    """Every text of the pages, and what comes from the catalogues: kinds, flows, events, roles."""
    texts = {*KINDS, *(flow.name for flow in FLOWS), *MEANING, *ROLES}
    for file in Path(words.__file__).parent.glob("*.py"):
        texts |= set(_texts(ast.parse(file.read_text(encoding="utf8"))))
    template = (Path(words.__file__).parent / "templates" / "login.html").read_text(encoding="utf8")
    texts |= {part.split('")')[0] for part in template.split('t("')[1:]}
    assert sorted(text for text in texts if words.said(text, "zh") in (text, text.replace("_", " "))) == []


def _texts(tree: ast.AST) -> Iterator[str]:
    """What is given to `t`, to a button of the work list, and as the heading of a column."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if name in ("t", "_move") and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
        for argument in node.args:
            if name == "rows" and isinstance(argument, ast.Dict):
                yield from (v.value for v in argument.values if isinstance(v, ast.Constant) and v.value)
