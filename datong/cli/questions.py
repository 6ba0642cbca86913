"""The answers that `datong init` needs: from options, else asked, where somebody is there to answer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datong.base.errors import UsageError

if TYPE_CHECKING:
    from datong.bootstrap.init import Answers, SystemAnswer

NAMES = {"crm": "CRM", "erp": "ERP"}


def answered(
    systems: Mapping[str, str | None],
    urls: Mapping[str, str | None],
    settings: Sequence[str],
    companies: Sequence[str],
    *,
    ask: bool,
) -> Answers:
    """Raises UsageError for what is missing where nobody can be asked."""
    from datong.bootstrap.init import Answers

    ask = ask and sys.stdin.isatty()
    told = _settings(settings)
    ours = [_company(text) for text in companies]
    if ask and not ours:
        ours = _ask_companies()
    found: dict[str, SystemAnswer] = {}
    for role in NAMES:
        options = {**told[role], **({"url": urls[role]} if urls[role] else {})}
        found[role] = _system(role, systems[role], options, dict(ours), ask)
    return Answers(found["crm"], found["erp"])


def _settings(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = {role: {} for role in NAMES}
    for text in given:
        place, equals, value = text.partition("=")
        role, dot, name = place.partition(".")
        if not (equals and dot and name) or role not in told:
            raise UsageError(f"--set {text}: not ROLE.NAME=VALUE", remedy="such as --set erp.database=prod")
        told[role][name] = value
    return told


def _company(text: str) -> tuple[str, dict[str, Any]]:
    code, _, rest = text.partition(":")
    currency, _, native = rest.partition(":")
    if not code or not currency:
        raise UsageError(f"--company {text}: not CODE:CURRENCY[:ID]", remedy="such as --company asia:CNY:1")
    return code, {"id": int(native) if native.isdigit() else native or None, "currency": currency}


def _system(
    role: str, system: str | None, options: dict[str, Any], companies: dict[str, dict[str, Any]], ask: bool
) -> SystemAnswer:
    from datong.bootstrap.config import installed_settings, installed_systems
    from datong.bootstrap.init import SystemAnswer

    if system is None:
        known = installed_systems()
        if not ask:
            raise UsageError(f"which {NAMES[role]}?", remedy=f"say --{role} SYSTEM, one of: {', '.join(known)}")
        system = _ask(f"{NAMES[role]}: which system ({', '.join(known)})?")
    model: Any = installed_settings(system)
    for name, info in _asked_for(model) if ask else ():
        from datong.bootstrap.models import is_secret_name

        if info.is_required() and name not in options and not is_secret_name(name):
            options[name] = _ask(f"{NAMES[role]}: {info.description or name}?")
    return SystemAnswer(system, options, companies)


def _asked_for(model: Any) -> Iterable[tuple[str, Any]]:
    """The settings of a connector with their descriptions; none where it could not be loaded."""
    from datong.bootstrap.documented import documented

    return documented(model).model_fields.items() if hasattr(model, "model_fields") else ()


def _ask_companies() -> list[tuple[str, dict[str, Any]]]:
    text = _ask("Our legal entities as CODE:CURRENCY[:ID], with spaces between (may be empty)?", empty=True)
    return [_company(one) for one in text.split()]


def _ask(question: str, *, empty: bool = False) -> str:
    import typer

    answer: str = typer.prompt(question, default="" if empty else None, show_default=False, err=True)
    return answer.strip()
