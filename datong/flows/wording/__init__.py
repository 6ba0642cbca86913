"""What customers are told, in their language: templates (Jinja2) by event, which a folder of one's own overrides.

One file a language, `zh.yaml` and `en.yaml`: event -> `subject`, `text` and `short` (for SMS). What is not in one's
own file is as it comes with Datong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from datong.canon import NoticeEvent

LANGUAGES = ("zh", "en")
PARTS = ("subject", "text", "short")
FACTS = (
    "name",
    "number",
    "order",
    "date",
    "carrier",
    "tracking",
    "goods",
    "subject",
    "resolution",
    "outcome",
    "reason",
    "link",
    "sender",
)
"""What a template may name; empty where it is not known."""
_OURS = Path(__file__).parent


@dataclass(frozen=True)
class Said:
    """A notice in words."""

    subject: str
    text: str
    short: str


@dataclass(frozen=True)
class Wording:
    """(language, event, part) -> template."""

    templates: Mapping[tuple[str, str, str], Any]

    def say(self, language: str, event: str, facts: Mapping[str, Any]) -> Said:
        told = {name: facts.get(name) or "" for name in FACTS}
        subject, text, short = (self.templates[language, event, part].render(told) for part in PARTS)
        return Said(" ".join(subject.split()), text.strip(), " ".join(short.split()))


@cache
def ours() -> Wording:
    """As it comes with Datong."""
    return Wording(dict(_compiled(_OURS)))


def overridden(folder: Path) -> Wording:
    """Ours, with what stands in a folder. Raises ValueError saying what is wrong there."""
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    return Wording({**ours().templates, **dict(_compiled(folder))})


def _compiled(folder: Path) -> Iterator[tuple[tuple[str, str, str], Any]]:
    from jinja2 import StrictUndefined, TemplateError
    from jinja2.sandbox import SandboxedEnvironment
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    world = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    for language in LANGUAGES:
        file = folder / f"{language}.yaml"
        if not file.exists():
            continue
        try:
            told = YAML(typ="safe").load(file.read_text(encoding="utf8")) or {}
            for event, part, source in _entries(told):
                template = world.from_string(source)
                template.render(dict.fromkeys(FACTS, ""))
                yield (language, event, part), template
        except (YAMLError, TemplateError, ValueError, OSError) as error:
            raise ValueError(f"{file.name}: {error}") from error


def _entries(told: Any) -> Iterator[tuple[str, str, str]]:
    if not isinstance(told, dict):
        raise ValueError("it is to hold events, each with subject, text and short")
    for event, parts in told.items():
        if event not in get_args(NoticeEvent):
            raise ValueError(f"there is no event {event}; there are {', '.join(get_args(NoticeEvent))}")
        for part, source in (parts or {}).items():
            if part not in PARTS or not isinstance(source, str):
                raise ValueError(f"{event}: {part} is none of {', '.join(PARTS)}, or no text")
            yield event, part, source
