"""Life cycles of documents: which states there are, what may follow what, and what must be proved. Pure.

A state moves only on proof: it is read from the system that has the document. Forward it may skip states, which are
entered as passed, "seen late"; back it moves only where the life cycle says why that happens; anything else is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum


class How(Enum):
    FORWARD = "forward"
    BACK = "back"
    END = "end"
    """Out of the row: cancelled, refused."""
    UNDECLARED = "undeclared"


@dataclass(frozen=True)
class Move:
    """From one state to another. `passed` are the states between, `reason` why it may go back."""

    how: How
    before: str | None
    after: str | None
    passed: tuple[str, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        late = f" (seen late: {', '.join(self.passed)})" if self.passed else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.before or 'nothing'} -> {self.after or 'nothing'}{late}{why}"


@dataclass(frozen=True)
class LifeCycle:
    """`row` are the states in their order. `ends` are states out of the row -> the states they may follow. `back` are
    moves against the order -> why they happen. `waits`: state -> whose turn it is, and what is to be done. `held`: the
    field that says what holds it up, and whose turn it is then."""

    name: str
    row: tuple[str, ...]
    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    back: Mapping[tuple[str, str], str] = field(default_factory=dict)
    waits: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    held: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        known = set(self.row) | set(self.ends)
        if len(set(self.row)) != len(self.row) or set(self.row) & set(self.ends):
            raise ValueError(f"{self.name}: a state is told twice")
        for end, sources in self.ends.items():
            if not sources or not set(sources) <= known:
                raise ValueError(f"{self.name}: {end} follows states that there are not: {', '.join(sources)}")
        if not set(self.waits) <= known:
            raise ValueError(f"{self.name}: somebody's turn in a state that there is not")
        for (before, after), reason in self.back.items():
            if not {before, after} <= known or not reason:
                raise ValueError(f"{self.name}: the way back from {before} to {after} has unknown states or no reason")
            if self._ahead(before, after) is not None:
                raise ValueError(f"{self.name}: {before} -> {after} is no way back")

    @property
    def states(self) -> tuple[str, ...]:
        return (*self.row, *self.ends)

    def move(self, before: str | None, after: str | None) -> Move:
        """What a change from `before` to `after` is. From nothing every state may be entered: the document was there
        before we were."""
        if before is None or before == after:
            return Move(How.FORWARD, before, after)
        if after is None or before not in self.states or after not in self.states:
            return Move(How.UNDECLARED, before, after)
        if after in self.ends and before in self.ends[after]:
            return Move(How.END, before, after)
        passed = self._ahead(before, after)
        if passed is not None:
            return Move(How.FORWARD, before, after, passed)
        reason = self.back.get((before, after), "")
        return Move(How.BACK if reason else How.UNDECLARED, before, after, (), reason)

    def _ahead(self, before: str, after: str) -> tuple[str, ...] | None:
        """The states between; None where `after` does not lie ahead in the row."""
        if before not in self.row or after not in self.row or self.row.index(after) <= self.row.index(before):
            return None
        return self.row[self.row.index(before) + 1 : self.row.index(after)]

    def moves(self) -> Iterator[Move]:
        """Every declared move between two states."""
        for before in self.states:
            for after in self.states:
                move = self.move(before, after)
                if before != after and move.how is not How.UNDECLARED:
                    yield move


def extent(name: str, undone: str, turn: tuple[str, str], held: tuple[str, str] | None = None) -> LifeCycle:
    """How much of a document has happened: none, part, full, over. It may become less by what `undone` says. `turn`:
    whose it is as long as it is not full; `held` as of a life cycle."""
    row = ("none", "part", "full", "over")
    back = {(b, a): undone for i, b in enumerate(row) for a in row[:i]}
    return LifeCycle(name, row, back=back, waits={"none": turn, "part": turn}, held=held)
