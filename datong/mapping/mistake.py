"""A mistake in what a person declared, in words that help."""

from __future__ import annotations


class Mistake(ValueError):
    """Raised by validators that know the remedy. `steps` lead from what is validated to what is wrong in it."""

    def __init__(self, cause: str, remedy: str, steps: tuple[str | int, ...] = ()) -> None:
        super().__init__(cause)
        self.cause, self.remedy, self.steps = cause, remedy, steps
