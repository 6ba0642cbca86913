"""What a person may do, each taking an Actor: the same functions behind CLI, API and console."""

from datong.operations.actor import Actor, require

__all__ = ["Actor", "require"]
