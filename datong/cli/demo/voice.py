"""How the demo speaks: English, with Chinese beside it."""

from __future__ import annotations

from datong.cli.output import show


def act(number: int, en: str, zh: str) -> None:
    """A new part of the story."""
    from rich.rule import Rule
    from rich.text import Text

    show(Rule(Text(f"{number}  {en}  {zh}"), align="left"))


def say(en: str, zh: str = "") -> None:
    show(en, *([f"  {zh}"] if zh else []))
