from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from datong.base.errors import Problem
from datong.bootstrap.yaml import plain, read

from .conftest import RIGHT

Find = Callable[[str], list[Problem]]


def of(tmp_path: Path, text: str | bytes) -> tuple[object, list[str]]:
    path = tmp_path / "datong.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    document = read(path)
    return plain(document.root), [str(p) for p in document.problems]


def test_scalars(tmp_path: Path) -> None:
    data, wrong = of(tmp_path, "a: [1, 1.5, 007, true, ~, 'true', NO, on, 2026-11-21, 1e5, 12345678901234567890, 0x1F]")
    assert wrong == []
    assert data == {
        "a": [1, 1.5, "007", True, None, "true", "NO", "on", "2026-11-21", "1e5", "12345678901234567890", "0x1F"]
    }


def test_keys_are_text(tmp_path: Path) -> None:
    assert of(tmp_path, "30: a\ntrue: b\n007: c\n")[0] == {"30": "a", "true": "b", "007": "c"}


def test_aliases_and_merges(tmp_path: Path) -> None:
    data, wrong = of(tmp_path, "a: &base {x: 1, y: 2}\nb: {<<: *base, y: 3}\nc: *base\n")
    assert data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}, "c": {"x": 1, "y": 2}} and wrong == []


def test_a_mark_of_byte_order_and_windows_lines(tmp_path: Path) -> None:
    assert of(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == ({"a": 1, "b": 2}, [])


def test_a_bomb_of_aliases(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    start = time.monotonic()
    _, wrong = of(tmp_path, bomb)
    assert time.monotonic() - start < 20
    assert len(wrong) == 1 and wrong[0].startswith("datong.yaml:4: more than 10,000 values")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [" + "x," * 20_000 + "]", "more than 10,000 values"),
        ("a: " + "x" * 1_000_001, "larger than 1,000,000 bytes"),
        ("a: " + "[" * 100_000, "more than 40 levels"),
        ("a: &a [*a]", "stands inside what it means"),
        ("a: *none", "nothing is marked &none"),
        ("a: !!python/object/apply:os.system [id]", "tags such as"),
        ("a: 1\n---\nb: 2\n", "datong.yaml:2: a second document"),
        ("a: \x01", "control character"),
        ("- a\n- b\n", "must begin with keys"),
        ("a: 1\n? [b]\n: 2\n", "a key must be a text"),
        ("a: {b: 1\n", "not readable as YAML"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    start = time.monotonic()
    _, wrong = of(tmp_path, text)
    assert len(wrong) == 1 and words in wrong[0], wrong
    assert time.monotonic() - start < 200


def test_another_encoding(tmp_path: Path) -> None:
    assert "datong.yaml:2: the file is not UTF-8. save it as UTF-8" in of(tmp_path, "a: 1\nb: 名称".encode("gbk"))[1][0]


def test_a_key_twice(problems: Find) -> None:
    found = problems(RIGHT.replace("  contact: true", "  contact: true\n  contact: false"))
    assert [str(p) for p in found] == [
        "datong.yaml:27 flows.contact: the key contact is already set in line 26. keep one of the two"
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "remedy"),
    [
        ("    system: acme", "\tsystem: acme", 3, "indent with spaces"),
        ("    system: acme", "\u3000\u3000system: acme", 3, "full-width"),
        ("  customer_master:\n", "  customer_master：\n", 19, "half-width colon"),
        ("    url: https://crm", "    url：https://crm", 5, "half-width colon"),
        ("    role: crm", "    role:crm", 4, "space after the colon"),
        ("{id: 1, currency", "{id: 1, currency： CNY, x", 16, ""),
    ],
)
def test_slips_of_the_pen(problems: Find, old: str, new: str, line: int, remedy: str) -> None:
    found = problems(RIGHT.replace(old, new, 1))
    assert found and found[0].where.startswith(f"datong.yaml:{line}"), [str(p) for p in found]
    assert remedy in found[0].remedy


def test_a_full_width_colon_where_yaml_sees_a_text(problems: Find) -> None:
    found = problems("flows:\n  customer_master： true\n")
    assert found[0].where == "datong.yaml:1 flows" and "half-width colon" in found[0].remedy
    found = problems("store：x: 1\n")
    assert "half-width colon" in found[0].remedy


def test_full_width_quotes(problems: Find) -> None:
    found = problems(RIGHT.replace("role: crm", "role: “crm”"))
    assert [p.where for p in found] == ["datong.yaml:4 connections.sales.role"]
    assert "plain quotes" in found[0].remedy


def test_several_slips_at_once(problems: Find) -> None:
    found = problems("connections：\n  a:\n\tb: 1\nflows：\n")
    assert [p.where for p in found] == ["datong.yaml:1", "datong.yaml:3", "datong.yaml:4"]


# Includes.


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    return folder / "datong.yaml"


def test_files_are_put_together(tmp_path: Path) -> None:
    main = write(
        tmp_path,
        datong_yaml="include: [conf/a.yaml]\nvalues: {s: {x: {A: B}}}\n",
        conf__a_yaml="include: b.yaml\nvalues: {s: {y: {C: D}}}\n",
        conf__b_yaml="values: {t: {z: {E: F}}}\n",
    )
    document = read(main)
    assert document.problems == []
    assert plain(document.root) == {"values": {"s": {"x": {"A": "B"}, "y": {"C": "D"}}, "t": {"z": {"E": "F"}}}}
    assert document.where(("values", "t", "z", "E")) == "conf/b.yaml:1 values.t.z.E"
    assert [p.name for p in document.files] == ["datong.yaml", "a.yaml", "b.yaml"]


def test_files_in_a_ring(tmp_path: Path) -> None:
    main = write(tmp_path, datong_yaml="include: [a.yaml]\n", a_yaml="\ninclude: [datong.yaml]\n")
    (problem,) = read(main).problems
    assert problem.where == "a.yaml:2 include"
    assert "datong.yaml includes a.yaml includes datong.yaml" in problem.cause


def test_one_thing_in_two_files(tmp_path: Path) -> None:
    main = write(tmp_path, datong_yaml="include: [a.yaml]\nflows: {contact: true}\n", a_yaml="flows:\n  contact: off\n")
    (problem,) = read(main).problems
    assert str(problem) == "a.yaml:2 flows.contact: this is already set in datong.yaml:2. keep one of the two"


@pytest.mark.parametrize(
    ("include", "words"),
    [("none.yaml", "there is no file"), ("/etc/hosts", "absolute"), ("7", "file name"), ("[bad.yaml]", "bad.yaml:3")],
)
def test_what_cannot_be_included(tmp_path: Path, include: str, words: str) -> None:
    main = write(tmp_path, datong_yaml=f"include: {include}\n", bad_yaml="a: 1\nb: [\n")
    document = read(main)
    assert len(document.problems) == 1 and words in str(document.problems[0]), document.problems


def test_mistakes_of_all_files_at_once(tmp_path: Path, problems: Find) -> None:
    (tmp_path / "a b.yaml").write_text("service: {port: x}\n", encoding="utf8")
    found = problems("include: ['a b.yaml']\nstore: {urll: x}\n")
    assert [p.where for p in found] == ["datong.yaml:2 store.urll", "a b.yaml:1 service.port"]
