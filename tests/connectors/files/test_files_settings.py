"""A mistake in the description of lists is told with its place and its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datong.base.errors import ConfigurationError
from datong.bootstrap.config import load
from datong.connectors.files.settings import fits, plain_header

GOOD = """
connections:
  lists:
    system: files
    role: erp
    folder: lists
    kinds:
      account:
        files: "*.csv"
        id: name
        fields:
          name: 客户名称
flows: {}
"""


def problems(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "datong.yaml").write_text(text, encoding="utf8")
    try:
        load(folder / "datong.yaml")
    except ConfigurationError as error:
        return [(one.where, one.cause, one.remedy) for one in error.problems]
    return []


@pytest.mark.parametrize(
    ("old", "new", "cause", "remedy"),
    [
        ("account:", "customer:", "there is no kind customer", "use one of account, contact"),
        (
            "name: 客户名称",
            "nmae: 客户名称\n          name: x",
            "account has no field nmae",
            "use one of name, name_en",
        ),
        ("name: 客户名称", "name: 客户名称\n          active: 启用", "active is a truth, not a text", "`convert:`"),
        ("name: 客户名称", "name: {column: 客户名称, convert: telephone}", "there is no converter 'telephone'", ""),
        (
            "name: 客户名称",
            "name: 客户名称\n          active: {column: 启用, convert: boolean}",
            "written as",
            "yes: 是",
        ),
        ("name: 客户名称", "name: 客户名称\n          phone: 客户 名称：", "given to name and to phone", "one of them"),
        ("name: 客户名称", "name: [客户名称, Datong]", "the column Datong is given to name and to our own column", ""),
        ("name: 客户名称", "name: []", "", ""),
        ("id: name", "id: number", "number is none of the fields", "use one of name"),
        ('files: "*.csv"', "sheet: 1", "no file is read and none is written", "give `files` to read"),
        ('files: "*.csv"', 'files: "../*.csv"', "not a plain file name", "`folder`"),
        ('files: "*.csv"', "files: a.xls", "'a.xls' is not a list", ".xlsx"),
        ('files: "*.csv"', "files: a.csv.result.csv", "is not a list", "not in .result.csv"),
        ('files: "*.csv"', "out: a-*.csv", "a-*.csv is not one file", "leave out the *"),
        ('files: "*.csv"', 'files: "*.csv"\n        out: a.csv', "a.csv would be read as well", "`files: a.csv`"),
        ('files: "*.csv"', 'files: "*.csv"\n        encoding: utf8000', "there is no encoding 'utf8000'", "gb18030"),
        ('files: "*.csv"', 'files: "*.csv"\n        encoding: base64', "there is no encoding 'base64'", "gb18030"),
        ('files: "*.csv"', 'files: "*.csv"\n        delimiter: ","', "", ""),
        ("folder: lists", "folder: lists\n    zone: Asia/Beijing2", "there is no time zone", "Asia/Shanghai"),
        ("folder: lists", "folder: lists\n    folders: x", "files has no setting folders", "folder"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(tmp_path: Path, old: str, new: str, cause: str, remedy: str) -> None:
    assert problems(tmp_path, GOOD) == []
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert len(found) == 1, found
    where, told, what = found[0]
    assert "datong.yaml" in where and cause in told and remedy in what


def test_addresses_are_converted_alike(tmp_path: Path) -> None:
    addresses = """        addresses:
          billing: {country: {column: 国家一, convert: country}}
          office: {country: 国家二}
"""
    (found,) = problems(tmp_path, GOOD.replace("flows:", addresses + "flows:"))
    assert "country has two converters" in found[1]


def test_relative_folders_start_at_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datong.bootstrap.build import build

    monkeypatch.chdir("/")
    (tmp_path / "lists").mkdir()
    assert problems(tmp_path, GOOD) == []
    app = build(load(tmp_path / "datong.yaml"))
    settings: Any = app.landscape.connections["lists"].connector.settings
    assert (settings.folder, settings.target) == (tmp_path / "lists", tmp_path / "lists")
    assert app.landscape.connections["lists"].connector.check().identity == str((tmp_path / "lists").resolve())
    app.close()


@pytest.mark.parametrize("header", ["客户 名称", "客户名称*", "客户\n名称：", " 客户名称＊ ", "\ufeff客户名称"])
def test_headers_are_compared_by_what_they_say(header: str) -> None:
    assert plain_header(header) == "客户名称"


@pytest.mark.parametrize(
    ("name", "pattern", "meant"),
    [
        ("客户-2026.csv", "客户*.csv", True),
        ("CUSTOMERS.CSV", "customers.csv", True),
        ("list [1].csv", "list [1].csv", True),
        ("list 1.csv", "list [1].csv", False),
        ("a.csvx", "a.csv", False),
        ("axcsv", "a.csv", False),
    ],
)
def test_only_a_star_stands_for_others(name: str, pattern: str, meant: bool) -> None:
    assert fits(name, [pattern]) is meant
