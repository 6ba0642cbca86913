"""docs/files.md is run, and names every setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from lists import stamp

from datong.base import json
from datong.base.clock import ManualClock, from_text
from datong.base.errors import NotFound
from datong.bootstrap.build import App, build
from datong.bootstrap.config import load
from datong.cli import main
from datong.cli.context import os_user
from datong.connectors.files.settings import Column, FilesSettings, KindList
from datong.operations import Actor, results
from datong.operations import sync as operations
from datong.sandbox import Sandbox

PAGE = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf8")
BROKEN, MENDED, EUROPE, RESULT, OUT = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
CONFIG = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
WANG = Actor("wang.wei", ("admin",))
NOW = from_text("2026-11-21T09:00:00Z")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(1, 0) as sandbox:
        yield sandbox


@pytest.fixture
def app(sandbox: Sandbox, tmp_path: Path) -> Iterator[App]:
    """The example of the page, against this sandbox."""
    text = CONFIG.replace("http://127.0.0.1:8101", sandbox.crm.url).replace("crm-1", sandbox.crm.token)
    (tmp_path / "datong.yaml").write_text(text, encoding="utf8")
    (tmp_path / "lists").mkdir()
    given(tmp_path, MENDED)
    header, row = (line.split(",") for line in EUROPE.splitlines())
    with xlsxwriter.Workbook(tmp_path / "lists" / "customers-eu.xlsx") as book:
        sheet = book.add_worksheet("Liste")
        sheet.write_row(0, 0, header)
        sheet.write_row(1, 0, [*row[:-1], float(row[-1])])
    stamp(tmp_path / "lists" / "customers-eu.xlsx", at(-60))
    app = build(load(tmp_path / "datong.yaml"), ManualClock(NOW))
    yield app
    app.close()


def given(folder: Path, text: str, seconds: float = -60) -> None:
    """The list, as a Chinese Excel writes it."""
    path = folder / "lists" / "客户清单.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode("gb18030"))
    stamp(path, at(seconds))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW.timestamp() + seconds, NOW.tzinfo)


def synced(app: App) -> Any:
    return operations.sync(app.engine("wang.wei"), WANG)


def told(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")


def test_the_example_does_what_the_page_says(app: App, sandbox: Sandbox, tmp_path: Path) -> None:
    synced(app)
    customers = {row["name"]: row for row in sandbox.crm.rows("accounts")}
    assert set(customers) == {"深圳市大同科技有限公司", "上海𠮷野机械有限公司", "Müller & Söhne GmbH"}
    datong = customers["深圳市大同科技有限公司"]
    assert (datong["tax_id"], datong["phone"]) == ("91350100M000100Y43", "+8675526000000")
    assert (datong["erp"]["asia"]["number"], datong["erp"]["asia"]["credit_limit"]) == ("C00017", "50000")
    assert [(one["city"], one["street"]) for one in datong["addresses"]] == [("深圳市", "科技园路1号")]
    assert customers["Müller & Söhne GmbH"]["erp"]["asia"]["credit_limit"] == "12500.5"
    assert told(tmp_path / "lists" / "客户清单.csv.result.csv") == RESULT

    sandbox.crm.edit("accounts", customers["上海𠮷野机械有限公司"]["id"], {"phone": "+862160000009"})
    app.clock.sleep(60)
    synced(app)
    assert told(tmp_path / "lists" / "from-crm.csv") == OUT
    app.clock.sleep(60)
    writes = sandbox.crm.stats()["writes"]
    before = (tmp_path / "lists" / "from-crm.csv").stat().st_mtime_ns
    synced(app)
    assert sandbox.crm.stats()["writes"] == writes, "nothing changed: nothing is written"
    assert (tmp_path / "lists" / "from-crm.csv").stat().st_mtime_ns == before


def test_the_broken_list_is_refused_as_the_page_says(app: App, sandbox: Sandbox, tmp_path: Path) -> None:
    reason = re.search(r"`客户清单\.csv: (.*?)`", PAGE)
    assert reason is not None
    given(tmp_path, BROKEN)
    problems = synced(app).problems
    assert any(reason[1] in one for one in problems), problems
    assert sandbox.crm.rows("accounts") == []
    assert told(tmp_path / "lists" / "客户清单.csv.result.csv").splitlines()[1] == f",,waiting,{reason[1]},"
    given(tmp_path, MENDED)
    app.clock.sleep(600)
    synced(app)
    assert len(sandbox.crm.rows("accounts")) == 3


def test_a_corrected_row_is_taken_and_told(app: App, sandbox: Sandbox, tmp_path: Path) -> None:
    synced(app)
    corrected = MENDED.replace("not-a-mail", "zhang@example.com").replace("科技园路1号", "科技园路2号")
    given(tmp_path, corrected.replace("C00021,成都第五有限公司,,,,,重庆市,,\n", ""), seconds=60)
    app.clock.sleep(120)
    synced(app)
    lines = [line.split(",")[:3] for line in told(tmp_path / "lists" / "客户清单.csv.result.csv").splitlines()[1:]]
    assert lines == [
        ["2", "C00017", "put back"],
        ["3", "C00018", "unchanged"],
        ["4", "C00019", "created"],
        ["5", "", "not taken"],
        ["6", "C00021", "created"],
    ], "addresses are the CRM's by the flow"


def test_a_row_that_is_gone_from_the_changes_deletes_nothing(app: App, sandbox: Sandbox, tmp_path: Path) -> None:
    synced(app)
    given(tmp_path, "\n".join(MENDED.splitlines()[:2]) + "\n", seconds=60)
    for _ in range(3):
        app.clock.sleep(7 * 3600)
        operations.sync(app.engine("wang.wei"), WANG, full=True)
    assert len(sandbox.crm.rows("accounts")) == 3
    given(tmp_path, MENDED.replace("021-6000 0001", "021-6000 0007"), seconds=22 * 3600)
    app.clock.sleep(7 * 3600)
    synced(app)
    phones = {row["name"]: row["phone"] for row in sandbox.crm.rows("accounts")}
    assert phones["上海𠮷野机械有限公司"] == "+862160000007", "back in the list, it is in step again"


def test_a_row_that_was_not_read_yet_waits(app: App, tmp_path: Path) -> None:
    synced(app)
    given(tmp_path, MENDED, seconds=3600)
    results.report(app.engine("wang.wei"), WANG, "lists")
    lines = told(tmp_path / "lists" / "客户清单.csv.result.csv").splitlines()
    assert lines[1] == "2,C00017,waiting,it was not taken in yet,"
    with pytest.raises(NotFound, match="crm passes no results on"):
        results.report(app.engine("wang.wei"), WANG, "crm")


def test_the_command_line_writes_results(app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synced(app)
    app.close()
    path = tmp_path / "lists" / "客户清单.csv.result.csv"
    path.unlink()
    config = tmp_path / "datong.yaml"
    config.write_text(
        config.read_text("utf8") + "people:\n  wang: {roles: [admin], os_user: " + os_user() + "}\n", "utf8"
    )
    assert main(["--config", str(config), "results", "lists", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": [str(path)]}
    assert told(path) == RESULT
    assert main(["--config", str(config), "results"]) == 0
    assert capsys.readouterr().out == "nothing is new\n"
    assert main(["--config", str(config), "results", "crm"]) == 2


def test_every_setting_is_on_the_page() -> None:
    names = {name for model in (FilesSettings, KindList, Column) for name in model.model_fields}
    assert [name for name in sorted(names) if f"`{name}`" not in PAGE] == []
