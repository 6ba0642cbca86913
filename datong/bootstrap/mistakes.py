"""A mistake in the configuration in words that help: cause, remedy, and the word that was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from datong.bootstrap.documented import documented
from datong.bootstrap.yaml import Steps, slip
from datong.mapping.mistake import Mistake

__all__ = ["Finding", "Mistake", "finding", "findings", "meant", "model_at", "suggestion"]


@dataclass(frozen=True)
class Finding:
    """A mistake at a place in the configuration, which the document turns into file and line."""

    steps: Steps
    cause: str
    remedy: str


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: nearly the same, or the same after the last dot."""
    choices = sorted(set(known))
    low = word.lower()
    for one in choices:
        if one.lower() == low or one.lower().rpartition(".")[2] == low:
            return one
    scored = [(SequenceMatcher(None, low, one.lower()).ratio(), one) for one in choices]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= 0.6 else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or what there is to choose from."""
    choices = sorted(set(known))
    found = meant(word, choices)
    if found is not None:
        return f"did you mean {found}?"
    shown = ", ".join(choices[:12]) + (", ..." if len(choices) > 12 else "")
    return f"known are: {shown}" if choices else "remove it"


def findings(error: ValidationError, model: type[BaseModel], at: Steps = ()) -> list[Finding]:
    """Every mistake that pydantic found in data for `model`, which stands at `at`."""
    return [finding(one, model, at) for one in error.errors(include_url=False)]


def finding(error: ErrorDetails, model: type[BaseModel], at: Steps) -> Finding:
    """One of them."""
    loc: Steps = tuple(step for step in error["loc"] if step != "[key]")
    explain = _EXPLAIN.get(error["type"])
    if error["type"] == "value_error" and isinstance(error["ctx"]["error"], Mistake):
        mistake = error["ctx"]["error"]
        cause, remedy = mistake.cause, mistake.remedy
        loc = (*loc, *mistake.steps)
    elif explain is not None:
        cause, remedy = explain(loc, error, model)
    else:
        cause, remedy = _lower(error["msg"]), f"write the {_about(loc, model)}"
    written = error["input"]
    if isinstance(written, str) and "[key]" not in error["loc"]:
        remedy = slip(written) or remedy
    return Finding((*at, *loc), cause, remedy)


Explained = tuple[str, str]


def _unknown(loc: Steps, error: ErrorDetails, model: type[BaseModel]) -> Explained:
    name = str(loc[-1])
    holder = model_at(model, loc[:-1])
    known = list(holder.model_fields) if holder else []
    return f"unknown key {name}", slip(name) or suggestion(name, known)


def _about(loc: Steps, model: type[BaseModel]) -> str:
    """The description of the field at `loc`."""
    holder = model_at(model, loc[:-1])
    info = documented(holder).model_fields.get(str(loc[-1])) if holder and loc else None
    return (info.description if info else None) or "value that is expected"


def _pattern(loc: Steps, error: ErrorDetails, model: type[BaseModel]) -> Explained:
    return f"{error['input']!r:.60} does not have the right form", f"write the {_about(loc, model)}"


def _missing(loc: Steps, error: ErrorDetails, model: type[BaseModel]) -> Explained:
    name = str(loc[-1])
    holder = model_at(model, loc[:-1])
    about = documented(holder).model_fields[name].description if holder and name in holder.model_fields else None
    return f"{name} is missing", f"add `{name}:`" + (f" ({about})" if about else "")


def _choice(loc: Steps, error: ErrorDetails, model: type[BaseModel]) -> Explained:
    expected = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
    written = error["input"]
    return f"{written!r:.60} is not one of {expected}", suggestion(str(written), expected.split(", "))


def _type(name: str, remedy: str) -> Callable[[Steps, ErrorDetails, type[BaseModel]], Explained]:
    def explain(loc: Steps, error: ErrorDetails, model: type[BaseModel]) -> Explained:
        return f"{name} is expected here, not {_shown(error['input'])}", remedy

    return explain


def _shown(value: Any) -> str:
    """What kind of thing was written; scalars by kind only, for a value may be a secret."""
    if value is None:
        return "nothing"
    names = {dict: "keys", list: "a list", bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return next((told for kind, told in names.items() if isinstance(value, kind)), type(value).__name__)


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


_TEXT = _type("a text", "put the value in quotes")
_KEYS = _type("a group of keys", "write its keys below it, indented by two spaces")
_LIST = _type("a list", "write it as `[a, b]`")
_TRUTH = _type("true or false", "write `true` or `false`")
_NUMBER = _type("a number", "write a number without quotes or unit")

_EXPLAIN: Mapping[str, Callable[[Steps, ErrorDetails, type[BaseModel]], Explained]] = {
    "extra_forbidden": _unknown,
    "string_pattern_mismatch": _pattern,
    "missing": _missing,
    "literal_error": _choice,
    "enum": _choice,
    "string_type": _TEXT,
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "list_type": _LIST,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _NUMBER,
    "int_parsing": _NUMBER,
    "int_from_float": _NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
}


def model_at(model: type[BaseModel], loc: Steps) -> type[BaseModel] | None:
    """The model that the data at `loc` must fit."""
    here: Any = model
    for step in loc:
        if isinstance(here, type) and issubclass(here, BaseModel):
            info = here.model_fields.get(str(step))
            here = _essence(info.annotation) if info is not None else None
        else:
            arguments = get_args(here)
            here = _essence(arguments[-1]) if arguments else None
    return here if isinstance(here, type) and issubclass(here, BaseModel) else None


def _essence(annotation: Any) -> Any:
    """`X` of `X | None`; a dict or list type stays."""
    if get_origin(annotation) in (dict, list):
        return annotation
    parts = [one for one in get_args(annotation) if one is not type(None)]
    if hasattr(annotation, "__metadata__"):
        return _essence(parts[0])
    return _essence(parts[0]) if len(parts) == 1 else annotation
