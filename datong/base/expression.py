"""The one door for expressions in the configuration: Google's CEL, compiled and type-checked before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Evaluate = Callable[[Mapping[str, Any]], Any]


@lru_cache(maxsize=512)
def compiled(source: str, variables: tuple[tuple[str, str], ...]) -> Evaluate:
    """`source` as a function of its variables.

    `variables` are (name, type) with type one of text, number, truth, any. Raises ValueError with the position for a
    wrong expression; the function raises ValueError where it cannot be evaluated on the given values.
    """
    from cel_expr_python import cel

    types = {"text": cel.Type.STRING, "number": cel.Type.DOUBLE, "truth": cel.Type.BOOL, "any": cel.Type.DYN}
    environment = cel.NewEnv(variables={name: types[kind] for name, kind in variables}, extensions=_extensions())
    try:
        program = environment.compile(source)
    except Exception as error:  # the binding raises several undocumented classes
        raise ValueError(f"{source!r}: {str(error).strip()}") from error

    def evaluate(values: Mapping[str, Any]) -> Any:
        try:
            answer = program.eval(data=dict(values))
        except RuntimeError as error:  # iteration budget exceeded
            raise ValueError(f"{source!r}: {error}") from error
        if answer.type() == cel.Type.ERROR:
            raise ValueError(f"{source!r}: {answer.value()}")
        return answer.plain_value()

    return evaluate


def _extensions() -> list[Any]:
    from cel_expr_python.ext import ext_math, ext_optional, ext_strings

    return [ext_strings.ExtStrings(), ext_math.ExtMath(), ext_optional.ExtOptional()]
