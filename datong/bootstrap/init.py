"""`datong init`: a first datong.yaml with comments, for systems by name or for the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from datong.base import json, secrets
from datong.base.errors import ConfigurationError, Problem, UsageError
from datong.bootstrap.config import FLOWS_KNOWN, SettingsOf, installed_settings, installed_systems
from datong.bootstrap.documented import documented
from datong.bootstrap.mistakes import suggestion
from datong.bootstrap.models import is_secret_name

NAME = "datong.yaml"


@dataclass(frozen=True)
class SystemAnswer:
    """One system: connector, settings as far as they are known, and the companies it keeps.

    A company is a mapping with `id`, `currency` and `time_zone`, as far as known. A secret given in clear is not
    written: its place is taken by a reference to an environment variable.
    """

    system: str
    options: Mapping[str, Any] = field(default_factory=dict)
    companies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = ""


MASTERS = ("reference_data", "customer_master", "contact", "product_catalogue")
"""Where one begins; documents follow once their customers and products are tied."""


@dataclass(frozen=True)
class Answers:
    """A CRM and an ERP; `flows` are those switched on."""

    crm: SystemAnswer
    erp: SystemAnswer
    flows: tuple[str, ...] = MASTERS


@dataclass(frozen=True)
class SandboxAnswers:
    """A sandbox that runs, or will."""

    crm_url: str = "http://127.0.0.1:8101"
    erp_url: str = "http://127.0.0.1:8102"
    seed: int = 1


def write_config(
    target_dir: Path,
    answers: Answers | SandboxAnswers,
    *,
    force: bool = False,
    settings_class_of: SettingsOf = installed_settings,
) -> Path:
    """Write datong.yaml into `target_dir`. Raises UsageError where there is one already, unless forced."""
    target = Path(target_dir) / NAME
    if target.exists() and not force:
        raise UsageError(f"{target} exists already", remedy="edit it, or overwrite it with --force")
    text = _sandbox(answers) if isinstance(answers, SandboxAnswers) else _general(answers, settings_class_of)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf8", newline="\n")
    return target


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (Path(__file__).parent / "templates" / template).read_text(encoding="utf8")
    for name, value in values.items():
        text = text.replace(f"{{{{ {name} }}}}", value)
    return text


# The sandbox.


def _sandbox(answers: SandboxAnswers) -> str:
    crm_token, erp_token = sandbox_tokens(answers.seed)
    return _filled(
        "sandbox.yaml",
        {
            "command": _command(answers),
            "crm_url": json.dumps(answers.crm_url),
            "crm_token": json.dumps(crm_token),
            "erp_url": json.dumps(answers.erp_url),
            "erp_token": json.dumps(erp_token),
        },
    )


def _command(answers: SandboxAnswers) -> str:
    ports = {"crm": urlsplit(answers.crm_url).port, "erp": urlsplit(answers.erp_url).port}
    told = "".join(f" --{role}-port {port}" for role, port in ports.items() if port)
    return f"python -m datong.sandbox --seed {answers.seed}{told}"


def sandbox_tokens(seed: int) -> tuple[str, str]:
    """The tokens of the sandbox's CRM and ERP: public, the same for the same seed."""
    try:
        from datong.sandbox import Clock
        from datong.sandbox.crm import Crm
        from datong.sandbox.erp import Erp
    except ImportError as error:
        raise UsageError(f"the sandbox needs {error.name}", remedy="install datong[web]") from error
    return Crm(Clock(), seed).token, Erp(Clock(), seed).token


# Systems by name.


def _general(answers: Answers, settings_class_of: SettingsOf) -> str:
    names = {"crm": answers.crm.name or "crm", "erp": answers.erp.name or "erp"}
    blocks = [
        _connection(names["crm"], "crm", answers.crm, settings_class_of),
        _connection(names["erp"], "erp", answers.erp, settings_class_of),
    ]
    flows = "".join(f"  {name}: {'true' if name in answers.flows else 'false'}\n" for name in FLOWS_KNOWN)
    return _filled("general.yaml", {"connections": "".join(blocks), "flows": flows, "first": names["crm"]})


def _connection(name: str, role: str, answer: SystemAnswer, settings_class_of: SettingsOf) -> str:
    model = settings_class_of(answer.system)
    if model is None or not issubclass(model, BaseModel):
        raise UsageError(
            f"there is no connector {answer.system}", remedy=suggestion(answer.system, installed_systems())
        )
    _refuse_unknown(answer, model)
    lines = [f"  {name}:", f"    system: {answer.system}", f"    role: {role}"]
    for key, info in documented(model).model_fields.items():
        lines += [f"    {line}" for line in _setting(name, key, info, answer)]
    lines += [f"    {line}" for line in _companies(answer.companies)]
    return "\n".join(lines) + "\n"


def _refuse_unknown(answer: SystemAnswer, model: type[BaseModel]) -> None:
    unknown = [key for key in answer.options if key not in model.model_fields]
    problems = [
        Problem(key, f"{answer.system} has no setting {key}", suggestion(key, model.model_fields)) for key in unknown
    ]
    if problems:
        raise ConfigurationError(problems)


def _setting(name: str, key: str, info: FieldInfo, answer: SystemAnswer) -> Iterator[str]:
    """A setting that is known, or must be; what may be left out stands as a comment."""
    if info.description:
        yield f"# {' '.join(info.description.split())}"
    reference = f"${{env:{name}_{key}}}".replace(f"{name}_{key}", f"{name}_{key}".upper())
    value = answer.options.get(key)
    secret = is_secret_name(key) or "Secret" in str(info.annotation)
    hidden = secret and not answer.system.startswith("sandbox_")
    if value is not None and not (hidden and not secrets.is_reference(str(value))):
        yield f"{key}: {json.dumps(value)}"
    elif value is not None or info.is_required():
        yield f"{key}: {reference}"
    else:
        yield f"# {key}: {reference if secret else _default(info)}"


def _default(info: FieldInfo) -> str:
    make: Callable[[], Any] | None = info.default_factory  # type: ignore[assignment]
    value = make() if make is not None else info.default
    return "" if value is None else json.dumps(value)


def _companies(companies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not companies:
        yield "# our legal entities 我们的公司"
        yield "# companies: {asia: {id: 1, currency: CNY, time_zone: Asia/Shanghai}}"
        return
    yield "companies:   # our legal entities 我们的公司"
    for code, facts in companies.items():
        told = ", ".join(f"{key}: {json.dumps(value)}" for key, value in facts.items() if value is not None)
        yield f"  {json.dumps(code)}: {{{told}}}"
