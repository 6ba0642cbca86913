"""Fields and values as people read them: labels in their language, names in the place of references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datong.canon import spec
from datong.operations.naming import Names
from datong.web.console.frame import Visitor

_MOST = 120
_LINES = 12


class Shown:
    """Values of a page; the records that they point at are looked up at once."""

    def __init__(self, who: Visitor, values: Iterable[Any]) -> None:
        self._who = who
        self._names = Names(who.desk.app.store, values)

    def value(self, value: Any) -> str:
        told = self._names.value(value)
        if isinstance(told, bool):
            return self._who.t("yes") if told else self._who.t("no")
        text = "∅" if told is None or told == "" else str(told)
        return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"

    def field(self, kind: str | None, name: str) -> str:
        """`company.asia.terms` is Payment terms (asia); a field that no catalogue knows is called by its name."""
        try:
            known = spec(kind or "", name)
        except KeyError:
            return name
        label = known.zh if self._who.language == "zh" else known.en
        own = [part for part, general in zip(name.split("."), known.name.split("."), strict=False) if general == "*"]
        return f"{label} ({', '.join(own)})" if own else label

    def moved(self, kind: str | None, fields: Mapping[str, Mapping[str, Any]], most: int = _LINES) -> str:
        """`Phone: 021 1 → 021 2`, a field a line."""
        lines = [
            f"{self.field(kind, name)}: {self.value(one.get('before'))} → {self.value(one.get('after'))}"
            for name, one in list(fields.items())[:most]
        ]
        more = [f"… {len(fields) - most}"] if len(fields) > most else []
        return "\n".join(lines + more)

    def rule(self, policy: str) -> str:
        """The rule of a field, such as `owned by erp`."""
        words = policy.split(" ", 2)
        if words[1:2] == ["by"]:
            return self._who.t(f"{words[0]} by {{role}}", role=self._who.t(words[2]))
        return self._who.t(policy)
