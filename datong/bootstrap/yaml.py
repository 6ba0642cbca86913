"""YAML with the line of everything in it, bounded: what a person typed, and where.

YAML 1.2, so `on`, `no` and `NO` are text. Read from the event stream, so that a document is refused before it is
expanded. Numbers with leading zeros and dates stay text; mapping keys are always text; tags are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datong.base.errors import Problem

MOST_BYTES = 1_000_000
MOST_NODES = 10_000
MOST_FILES = 50
MOST_DEPTH = 40

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Node:
    """A value and its place. `value` is a scalar, a dict of nodes or a list of nodes; `text` is a scalar as typed.

    `size` counts the nodes in it, those behind aliases as often as they are used.
    """

    value: Any
    place: Place
    text: str = ""
    size: int = 1


@dataclass
class Document:
    """The configuration as it was typed, all files together. `files` are those that were read, the main one first."""

    root: Node
    problems: list[Problem] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def at(self, steps: Steps) -> Node:
        """The node that `steps` lead to, or the last one on the way that exists."""
        return _descend(self.root, steps)[0]

    def reached(self, steps: Steps) -> Steps:
        """As much of `steps` as the document has."""
        return _descend(self.root, steps)[1]

    def where(self, steps: Steps) -> str:
        return where(self.at(steps).place, steps)


class _Wrong(Exception):
    """Reading of one file ends here."""

    def __init__(self, line: int, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.line, self.cause, self.remedy = line, cause, remedy


def where(place: Place, steps: Steps) -> str:
    return f"{place} {'.'.join(map(str, steps))}".strip()


def read(path: Path) -> Document:
    """The file and all it includes. Mistakes of form are in `problems`; what could be read is in `root`."""
    return _Files(path).read()


def plain(node: Node) -> Any:
    """Without places: dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(one) for key, one in node.value.items()}
    if isinstance(node.value, list):
        return [plain(one) for one in node.value]
    return node.value


def texts(node: Node) -> Any:
    """As `plain`, but every scalar that is not empty is the text that was typed: `1.10` stays `1.10`."""
    if isinstance(node.value, dict):
        return {key: texts(one) for key, one in node.value.items()}
    if isinstance(node.value, list):
        return [texts(one) for one in node.value]
    return None if node.value is None else node.text


def _descend(node: Node, steps: Steps) -> tuple[Node, Steps]:
    for number, step in enumerate(steps):
        inner = _child(node, step)
        if inner is None:
            return node, steps[:number]
        node = inner
    return node, steps


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node.value, dict):
        return node.value.get(str(step))
    if isinstance(node.value, list) and isinstance(step, int) and step < len(node.value):
        return node.value[step]  # type: ignore[no-any-return]
    return None


# Files and includes.


class _Files:
    def __init__(self, main: Path) -> None:
        self.main = main
        self.problems: list[Problem] = []
        self.read_already: list[Path] = []

    def read(self) -> Document:
        root = self._file(self.main, ())
        return Document(root, self.problems, self.read_already)

    def _file(self, path: Path, trail: tuple[Path, ...]) -> Node:
        name = self._name(path)
        self.read_already.append(path)
        empty = Node({}, Place(name, 1))
        try:
            source = _source(path)
        except _Wrong as wrong:
            self._problem(Place(name, wrong.line), "", wrong.cause, wrong.remedy)
            return empty
        try:
            builder = _Builder(name, source)
            root = builder.root()
        except _Wrong as wrong:
            self._syntax(name, source, wrong)
            return empty
        self.problems += builder.problems
        if root.value is None:
            return empty
        if not isinstance(root.value, dict):
            self._problem(
                root.place,
                "",
                "the file must begin with keys such as `connections:`",
                slip(root.text) or "see `datong init`",
            )
            return empty
        return self._with_includes(root, path, (*trail, path))

    def _with_includes(self, root: Node, path: Path, trail: tuple[Path, ...]) -> Node:
        include = root.value.get("include")
        merged = replace(root, value={key: one for key, one in root.value.items() if key != "include"})
        for one in self._included(include):
            inner = self._include(one, path, trail)
            merged = merged if inner is None else self._merged(merged, inner, ())
        return self._with_descriptions(merged, path, trail)

    def _with_descriptions(self, root: Node, path: Path, trail: tuple[Path, ...]) -> Node:
        """A connection may keep its keys in a file of its own: `description: crm.yaml`. Several may share one file."""
        connections = root.value.get("connections")
        if connections is None or not isinstance(connections.value, dict):
            return root
        told: dict[str, Node] = {}
        for name, one in connections.value.items():
            named = one.value.get("description") if isinstance(one.value, dict) else None
            told[name] = one if named is None else self._described(name, one, named, path, trail)
        return replace(root, value={**root.value, "connections": replace(connections, value=told)})

    def _described(self, name: str, one: Node, named: Node, path: Path, trail: tuple[Path, ...]) -> Node:
        steps: Steps = ("connections", name)
        bare = replace(one, value={key: inner for key, inner in one.value.items() if key != "description"})
        if not isinstance(named.value, str):
            self._problem(
                named.place, ".".join((*map(str, steps), "description")), "a file name is expected", "write crm.yaml"
            )
            return bare
        self.read_already = [old for old in self.read_already if old != (path.parent / named.value).resolve()]
        inner = self._include(named, path, trail, "description")
        return bare if inner is None else self._merged(bare, inner, steps)

    def _included(self, include: Node | None) -> Iterator[Node]:
        if include is None or include.value is None:
            return
        many = include.value if isinstance(include.value, list) else [include]
        for one in many:
            if isinstance(one.value, str):
                yield one
            else:
                self._problem(one.place, "include", "a file name is expected here", "write `include: [flows.yaml]`")

    def _include(self, named: Node, path: Path, trail: tuple[Path, ...], by: str = "include") -> Node | None:
        if Path(named.value).is_absolute():
            self._problem(named.place, by, f"{named.value} is an absolute path", "give it relative to this file")
            return None
        target = (path.parent / named.value).resolve()
        if target in trail:
            ring = " includes ".join(self._name(p) for p in (*trail[trail.index(target) :], target))
            self._problem(named.place, by, f"the files include each other: {ring}", f"remove one `{by}`")
            return None
        if target in self.read_already:
            return None
        if len(self.read_already) >= MOST_FILES:
            self._problem(named.place, by, f"more than {MOST_FILES} files", "put them together into fewer")
            return None
        if not target.is_file():
            self._problem(named.place, by, f"there is no file {target}", f"correct the name, or remove it from `{by}`")
            return None
        return self._file(target, trail)

    def _merged(self, old: Node, new: Node, steps: Steps) -> Node:
        value = dict(old.value)
        for key, one in new.value.items():
            here = (*steps, key)
            if key not in value:
                value[key] = one
            elif isinstance(value[key].value, dict) and isinstance(one.value, dict):
                value[key] = self._merged(value[key], one, here)
            else:
                text = ".".join(map(str, here))
                self._problem(one.place, text, f"this is already set in {value[key].place}", "keep one of the two")
        return replace(old, value=value)

    def _name(self, path: Path) -> str:
        try:
            return path.relative_to(self.main.parent).as_posix()
        except ValueError:
            return str(path)

    def _problem(self, place: Place, steps: str, cause: str, remedy: str) -> None:
        self.problems.append(Problem(f"{place} {steps}".strip(), cause, remedy))

    def _syntax(self, name: str, source: str, wrong: _Wrong) -> None:
        """The slips of the pen that explain why a file cannot be read; else what the parser says."""
        slips = [(n, found) for n, line in enumerate(source.splitlines(), 1) if (found := slip(line))]
        for line, found in slips[:20]:
            self._problem(Place(name, line), "", "not readable as YAML", found)
        if not any(line <= wrong.line for line, _ in slips):
            self._problem(Place(name, wrong.line), "", wrong.cause, wrong.remedy)


def _source(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _Wrong(
            1, f"the file cannot be read: {error.strerror}", "correct the path or the rights, or run `datong init`"
        ) from None
    if len(raw) > MOST_BYTES:
        raise _Wrong(
            1,
            f"the file is larger than {MOST_BYTES:,} bytes",
            "move value tables into files of their own and `include` them",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _Wrong(line, "the file is not UTF-8", "save it as UTF-8 (in Notepad: Save as, encoding UTF-8)") from None


_SLIPS = (
    (re.compile(r"^[ ]*\t"), "indent with spaces: there is a tab here (Tab 缩进请改为空格)"),
    (
        re.compile(r"^[ \t]*[\u00a0\u3000]"),
        "indent with plain spaces: there is a full-width or no-break space here (全角空格请改为半角)",
    ),
    (
        re.compile(r"^\s*(- +)?[A-Za-z_][\w.*-]*\s*："),
        "write the half-width colon `: ` instead of `：` (全角冒号请改为半角，后加空格)",
    ),
    (re.compile(r"^\s*(- +)?[A-Za-z_][\w.*-]*:[^\s:/\\]"), "put a space after the colon (冒号后加空格)"),
    (re.compile(r"(?:^|[:,\[{]\s*)[“”‘’]"), "write plain quotes \" or ' instead of “ ” (全角引号请改为半角)"),
)


def slip(line: str) -> str | None:
    """What is wrong with a line, or a text that should have been several, where it is one of the usual slips."""
    if line.lstrip(" \t\u00a0\u3000").startswith("#") or not line.strip():
        return None
    return next((remedy for pattern, remedy in _SLIPS if pattern.search(line)), None)


# From events to nodes.


@dataclass
class _Open:
    """A collection whose end has not come yet. `key` is the key that waits for its value."""

    line: int
    anchor: str | None
    items: list[Node] | None
    entries: dict[str, Node] = field(default_factory=dict)
    key: Node | None = None
    merges: list[Node] = field(default_factory=list)
    size: int = 1


class _Builder:
    def __init__(self, file: str, source: str) -> None:
        self.file = file
        self.source = source
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}
        self.open: list[_Open] = []
        self.documents = 0
        self.done: Node | None = None
        self.count = 0

    def root(self) -> Node:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            for event in YAML(typ="safe", pure=True).parse(self.source):
                self._event(event)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            cause = f"not readable as YAML: {error.problem or error.context}"
            raise _Wrong(mark.line + 1 if mark else 1, cause, "look at this line and the one above it") from None
        except YAMLError as error:
            line = self.source[: getattr(error, "position", 0)].count("\n") + 1
            raise _Wrong(line, "not readable as YAML: a control character", "remove it") from None
        return self.done or Node(None, Place(self.file, 1))

    def _event(self, event: Any) -> None:
        from ruamel.yaml import events as e

        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, e.DocumentStartEvent):
            self._document(line)
        elif isinstance(event, e.AliasEvent):
            self._value(self._alias(event.anchor, line))
        elif isinstance(event, e.ScalarEvent):
            self._tag(event.tag, line)
            self._keep(event.anchor, Node(_scalar(event), Place(self.file, line), event.value))
        elif isinstance(event, (e.MappingStartEvent, e.SequenceStartEvent)):
            self._tag(event.tag, line)
            self._begin(line, event.anchor, isinstance(event, e.SequenceStartEvent))
        elif isinstance(event, (e.MappingEndEvent, e.SequenceEndEvent)):
            self._end()

    def _document(self, line: int) -> None:
        self.documents += 1
        if self.documents > 1:
            raise _Wrong(line, "a second document begins here", "remove the `---`; use `include` for further files")

    def _tag(self, tag: str | None, line: int) -> None:
        if tag not in (None, "!"):
            raise _Wrong(line, f"tags such as {tag} are not used here", "remove it")

    def _alias(self, anchor: str, line: int) -> Node:
        if anchor not in self.anchors:
            raise _Wrong(line, f"nothing is marked &{anchor}", "put a text that begins with * in quotes")
        node = self.anchors[anchor]
        if node is None:
            raise _Wrong(line, f"*{anchor} stands inside what it means", "write it out")
        return replace(node, place=Place(self.file, line))

    def _begin(self, line: int, anchor: str | None, sequence: bool) -> None:
        if anchor:
            self.anchors[anchor] = None
        if len(self.open) >= MOST_DEPTH:
            raise _Wrong(
                line, f"more than {MOST_DEPTH} levels inside each other", "the configuration needs fewer than ten"
            )
        self.open.append(_Open(line, anchor, [] if sequence else None))

    def _end(self) -> None:
        ended = self.open.pop()
        value: Any = ended.entries if ended.items is None else ended.items
        for base in ended.merges:
            value = {**base.value, **value}
        self.count -= ended.size - 1  # counted again as part of the whole
        self._keep(ended.anchor, Node(value, Place(self.file, ended.line), size=ended.size))

    def _keep(self, anchor: str | None, node: Node) -> None:
        if anchor:
            self.anchors[anchor] = node
        self._value(node)

    def _value(self, node: Node) -> None:
        self.count += node.size
        if self.count > MOST_NODES:
            cause = f"more than {MOST_NODES:,} values, counting what aliases repeat"
            raise _Wrong(node.place.line, cause, "split the file with `include`; use fewer aliases")
        if not self.open:
            self.done = node
            return
        here = self.open[-1]
        here.size += node.size
        if here.items is not None:
            here.items.append(node)
        elif here.key is None:
            here.key = self._key(node)
        else:
            self._entry(here, here.key, node)
            here.key = None

    def _key(self, node: Node) -> Node:
        if isinstance(node.value, (dict, list)):
            raise _Wrong(
                node.place.line, "a key must be a text", "put it in quotes; a value with { or [ is read as YAML"
            )
        return node

    def _entry(self, here: _Open, key: Node, node: Node) -> None:
        if key.text == "<<" and isinstance(node.value, (dict, list)):
            many = node.value if isinstance(node.value, list) else [node]
            here.merges += [one for one in many if isinstance(one.value, dict)]
            return
        old = here.entries.get(key.text)
        if old is not None:
            steps = [o.key.text for o in self.open if o.key is not None]
            cause = f"the key {key.text} is already set in line {old.place.line}"
            self.problems.append(Problem(where(key.place, tuple(steps)), cause, "keep one of the two"))
            return
        here.entries[key.text] = replace(node, place=key.place)


_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def _scalar(event: Any) -> Any:
    """Only what is surely a number is one: `007` is a code, and so is a number of more than 15 digits."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 15:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
