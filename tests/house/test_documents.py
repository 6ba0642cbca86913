"""Documents name only what exists: commands, options, targets, files. The glossary and the proofs are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from house.documents import ROOT, commands, documents

GLOSSARY = ROOT / "docs" / "glossary.md"
PROOF = ROOT / "docs" / "proof.md"
WORDS = {
    "connection": "连接",
    "role": "角色",
    "company": "公司",
    "record": "记录",
    "wire record": "原始记录",
    "link": "对应关系",
    "flow": "接触点",
    "scope": "范围",
    "change": "变更",
    "verdict": "判定",
    "plan": "计划",
    "delivery": "投递",
    "journal": "日志",
    "park": "搁置",
    "review": "待确认匹配",
    "conflict": "冲突",
    "policy": "字段规则",
    "drift": "偏差",
    "reconcile": "对账",
    "hint": "提示",
    "cursor": "游标",
    "baseline": "基线",
    "sandbox": "沙箱",
    "actor": "操作者",
}
each_document = pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_every_datong_command_exists(path: Path) -> None:
    calls = list(commands(path.read_text(encoding="utf8"), "datong"))
    if calls:
        assert [f"datong {' '.join(call)}: {wrong}" for call in calls if (wrong := what_is_wrong(call))] == []


@each_document
def test_every_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf8"), re.MULTILINE))
    calls = commands(path.read_text(encoding="utf8"), "make")
    assert [call for call in calls if not {w for w in call if "=" not in w and not w.startswith("-")} <= targets] == []


@each_document
def test_every_relative_link_resolves(path: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [t for t in targets if not re.match(r"^(https?:|mailto:)", t)]
    assert [t for t in local if not resolves(path, t)] == []


def resolves(path: Path, target: str) -> bool:
    file, _, anchor = target.partition("#")
    there = (path.parent / file) if file else path
    return there.exists() and (not anchor or anchor in anchors(there.read_text(encoding="utf8")))


def anchors(text: str) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ +(.+?) *$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_glossary_has_every_word_in_both_languages() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\*.*? \| (.+?) \|", GLOSSARY.read_text(encoding="utf8"), re.MULTILINE)
    found = {english.split(",")[0]: chinese for english, chinese in rows}
    assert {word: found.get(word) for word in WORDS} == WORDS


def test_proofs_have_result_date_and_commit() -> None:
    rows = [line for line in PROOF.read_text(encoding="utf8").splitlines() if line.startswith("|")]
    header = [cell.strip().lower() for cell in rows[0].strip("|").split("|")]
    assert {"proof", "command", "result", "date", "commit"} == set(header)
    assert [row for row in rows if row.count("|") != len(header) + 1] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_configuration_shown_is_right(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datong.bootstrap.config import load

    shown = re.findall(r"^```yaml\n(.*?)^```", (ROOT / name).read_text(encoding="utf8"), re.DOTALL | re.MULTILINE)
    monkeypatch.setenv("CRM_TOKEN", "t")
    (tmp_path / "erp.secret").write_text("s", encoding="utf8")
    (tmp_path / "datong.yaml").write_text("".join(shown), encoding="utf8")
    assert set(load(tmp_path / "datong.yaml").connections) == {"sales", "books"}


def test_both_readmes_have_the_same_sections() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf8") for name in ("README.md", "README.zh.md"))
    marks = re.compile(r"^#+|^```\w*|^\|", re.MULTILINE)
    assert marks.findall(english) == marks.findall(chinese), "headings, code blocks and table rows differ"


def test_the_references_are_up_to_date() -> None:
    from datong.bootstrap.schema import FILE, text
    from datong.cli.reference import TARGET, reference

    assert FILE.read_text(encoding="utf8") == text(), "run `python -m datong.bootstrap.schema`"
    assert TARGET.read_text(encoding="utf8") == reference(), "run `python -m datong.cli.reference`"


# The command line, asked itself.


def what_is_wrong(call: list[str]) -> str | None:
    """What the call of `datong` names that does not exist; None when all does. Capitals and <...> stand for values."""
    import click
    import typer

    from datong.cli import app

    found: Any = typer.main.get_command(app)
    options = dict(of(found))
    words = [word for word in call if word not in ("[", "]")]
    position = 0
    while position < len(words):
        word = words[position].strip("[]").rstrip(".,:…").split("…")[0]
        position += 1
        if word.startswith("-"):
            name, _, value = word.partition("=")
            if name not in options:
                return f"no option {name}"
            position += 0 if value or options[name] else 1
        elif isinstance(found, click.Group) or hasattr(found, "commands"):
            missing = [one for one in word.split("|") if one not in found.commands]
            if missing:
                return f"no command {missing[0]}"
            if "|" in word:
                return None
            found = found.commands[word]
            options |= of(found)
    return None


def of(command: Any) -> dict[str, bool]:
    """The options of a command, and whether each is a flag."""
    names = {name: bool(p.is_flag) for p in command.params if p.param_type_name == "option" for name in named(p)}
    return {**names, "--help": True}


def named(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]


# These checks, checked.


def test_commands_are_found_in_blocks_and_in_running_text() -> None:
    page = "see `datong plan --out X`\n```console\n$ datong a --json | jq .id\nCI=1 datong b; make c # datong d\n```"
    assert list(commands(page, "datong")) == [["a", "--json"], ["b"], ["plan", "--out", "X"]]
    assert list(commands(page, "make")) == [["c"]]


def test_a_command_that_is_not_there_is_told() -> None:
    assert what_is_wrong(["plan", "--json"]) is None
    assert what_is_wrong(["journal", "--since", "2026-01-01"]) is None
    assert what_is_wrong(["parked", "list|show"]) is None
    assert what_is_wrong(["record", "pause|stop", "CONNECTION"]) == "no command stop"
    assert what_is_wrong(["plann"]) == "no command plann"
    assert what_is_wrong(["plan", "--wrong"]) == "no option --wrong"
