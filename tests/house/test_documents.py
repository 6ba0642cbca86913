"""Documents name only what exists: commands, options, targets, files. The glossary and the proofs are complete."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from house.documents import ROOT, blocks, commands, documents

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
    assert [target for target in links_of(path) if not resolves(path, target)] == []


def links_of(path: Path) -> list[str]:
    """The targets of its links within the repository."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf8"), flags=re.DOTALL)
    return [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"^(https?:|mailto:)", t)]


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
    table = PROOF.read_text(encoding="utf8").partition("| Proof |")[2].partition("\n\n")[0]
    rows = f"| Proof |{table}".splitlines()
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


GENERATORS = (
    "datong.bootstrap.reference",
    "datong.canon.reference",
    "datong.cli.error_reference",
    "datong.cli.event_reference",
    "datong.cli.reference",
)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_references_are_up_to_date(name: str) -> None:
    module = import_module(name)
    assert module.TARGET.read_text(encoding="utf8") == module.reference(), f"run `python -m {name}`"


def test_the_schema_is_up_to_date() -> None:
    from datong.bootstrap.schema import FILE, text

    assert FILE.read_text(encoding="utf8") == text(), "run `python -m datong.bootstrap.schema`"


def test_every_page_of_the_references_has_its_generator() -> None:
    made = {import_module(name).TARGET for name in GENERATORS}
    assert set((ROOT / "docs" / "reference").iterdir()) <= made


def test_every_setting_has_a_meaning() -> None:
    """The exceptions are known debts: the list may only become shorter."""
    rows = re.findall(
        r"^\| `(.+?)` \|.*\| (.*?) \|$", (ROOT / "docs/reference/settings.md").read_text("utf8"), re.MULTILINE
    )
    without = {key for key, meaning in rows if not meaning}
    assert without == {"maps.CONNECTION.KIND.FIELD.mode", "database", "login", "password", "page_size"}


def test_an_event_that_nobody_explained_is_found(tmp_path: Path) -> None:
    from datong.cli.event_reference import events

    code = """
NEW = "a constant"
def door(unit, event): unit.note(event)
def note_that(unit, event, why): unit.note(event, why=why)
def acts(unit, what):
    unit.note("plain")
    append(Entry(NEW))
    note_that(unit, "passed on", "because")
    chosen = {"one": "the first", "two": "the second"}[what]
    unit.note(chosen)
    unit.note("either" if what else "or")
"""
    (tmp_path / "engine.py").write_text(code, encoding="utf8")
    told = {"plain", "a constant", "passed on", "the first", "the second", "either", "or"}
    assert events(tmp_path) == told
    (tmp_path / "engine.py").write_text("def f(unit, x):\n    unit.note(x.upper())\n", encoding="utf8")
    with pytest.raises(LookupError, match=r"x\.upper"):
        events(tmp_path)


# The configuration shown.

OF_THE_HOW_TOS = {"handy_crm"}, {"business_contact": "contact"}
"""A connector and a flow that the how-tos make."""
_OTHER_TESTS = ("docs/rest.md", "docs/files.md")
"""Pages of parts of a description, which the tests of their connectors put together and run."""
_CONNECTIONS = """
connections:
  sales: {system: sandbox_crm, role: crm, url: "http://127.0.0.1:1", token: t}
  books: {system: sandbox_erp, role: erp, url: "http://127.0.0.1:2", key: k}
"""
with_yaml = pytest.mark.parametrize(
    "path",
    [p for p in documents() if blocks(p, "yaml") and str(p.relative_to(ROOT)) not in _OTHER_TESTS],
    ids=lambda path: str(path.relative_to(ROOT)),
)


@with_yaml
def test_every_configuration_shown_is_right(path: Path, tmp_path: Path) -> None:
    """A part of a configuration is completed by two connections."""
    from datong.bootstrap.config import FLOWS_KNOWN, installed_settings, load
    from datong.kit import ConnectorSettings

    class Open(ConnectorSettings, extra="allow"):
        pass

    def settings_of(system: str) -> type | None:
        return Open if system in OF_THE_HOW_TOS[0] else installed_settings(system)

    for text in blocks(path, "yaml"):
        whole = text if re.search("^connections:", text, re.MULTILINE) else text + _CONNECTIONS
        (tmp_path / "datong.yaml").write_text(whole, encoding="utf8")
        known = {**FLOWS_KNOWN, **OF_THE_HOW_TOS[1]}
        assert load(tmp_path / "datong.yaml", settings_class_of=settings_of, flows_known=known).connections


_RUN_ELSEWHERE = {
    "docs/conformance.md",
    "docs/how-to/write-a-connector.md",
    "docs/how-to/write-a-flow.md",
    "lab/README.md",  # needs the real systems
}
"""Pages of which a test makes more than that the code runs."""


@pytest.mark.parametrize(
    "path",
    [p for p in documents() if blocks(p, "python") and str(p.relative_to(ROOT)) not in _RUN_ELSEWHERE],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_python_block_runs(path: Path) -> None:
    for code in blocks(path, "python"):
        exec(compile(code, path.name, "exec"), {"__name__": "shown"})


# The code's own advice.


def test_every_command_in_a_remedy_exists() -> None:
    """What the program tells people to type can be typed."""
    wrong = []
    for path in sorted((ROOT / "datong").rglob("*.py")):
        for text in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                for call in commands(text.value, "datong"):
                    if problem := what_is_wrong([word for word in call if word != "..."]):
                        wrong.append(f"{path.relative_to(ROOT)}:{text.lineno}: datong {' '.join(call)}: {problem}")
    assert wrong == []


# What the promises name.


def test_every_test_that_a_document_names_exists() -> None:
    missing = []
    for path in (ROOT / "docs").rglob("*.md"):
        for named in re.findall(r"`((?:tests|datong|bench)/[\w/.]+(?:::\w+)?)`", path.read_text(encoding="utf8")):
            file, _, test = named.partition("::")
            there = ROOT / file
            if not there.exists() or (test and f"def {test}(" not in there.read_text(encoding="utf8")):
                missing.append(f"{path.name}: {named}")
    assert missing == ["write-a-flow.md: datong/flows/business_contact.py"] or missing == []


def test_each_promise_of_the_readme_is_explained_and_names_its_tests() -> None:
    promised = re.search(r"## What it promises\n(.*?)\n## ", (ROOT / "README.md").read_text("utf8"), re.DOTALL)
    assert promised is not None
    many = len(re.findall(r"^\d\. ", promised[1], re.MULTILINE))
    parts = re.split(r"^## \d\. ", (ROOT / "docs/concepts/promise.md").read_text("utf8"), flags=re.MULTILINE)[1:]
    assert len(parts) == many
    assert all("**Means**" in part and "**Does not mean**" in part for part in parts)
    assert all("`tests/" in part.partition("**Tested**")[2] for part in parts)


def test_every_table_is_in_the_glossary() -> None:
    from datong.store.schema import metadata

    told = GLOSSARY.read_text(encoding="utf8").partition("## Tables")[2]
    assert set(re.findall(r"`(\w+)`", told)) == set(metadata.tables)


def test_every_document_can_be_found_from_the_index() -> None:
    """One or two links away."""
    index = ROOT / "docs" / "README.md"
    found = {index, *_linked(index)}
    pages = {p for p in documents() if p.is_relative_to(ROOT / "docs") and "decisions" not in p.parts}
    assert pages - found == set()
    assert all(index in _linked(ROOT / name) for name in ("README.md", "README.zh.md"))


def _linked(page: Path) -> set[Path]:
    return {(page.parent / target.partition("#")[0]).resolve() for target in links_of(page)}


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
        default = getattr(found, "default", "")
        if default and word != "--help" and word not in found.commands:
            found = found.commands[default]  # `datong match --period 2026-11` is `datong match show --period 2026-11`
            options |= of(found)
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
