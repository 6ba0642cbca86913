"""What happens in a story, as plain data: each step says all it needs, so that any of them may be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.simulation.traits import FIELDS, SIDES, Traits


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Make:
    """A person enters a new customer."""

    side: str
    shape: int


@dataclass(frozen=True)
class MakeTwin:
    """A person enters a customer here that somebody entered over there."""

    side: str
    pick: int
    shape: int


@dataclass(frozen=True)
class MakeAlike:
    """A person enters a new customer here that has the mail of another one over there."""

    side: str
    pick: int
    shape: int


@dataclass(frozen=True)
class Edit:
    """A person changes a field of a customer."""

    side: str
    pick: int
    field: str
    shape: int


@dataclass(frozen=True)
class EditBoth:
    """Two people change the same field of one customer, one on each side."""

    pick: int
    field: str
    shape: int
    first: str


@dataclass(frozen=True)
class Respell:
    """The same value, spelt with a space behind it; or saved again without a change."""

    side: str
    pick: int
    field: str


@dataclass(frozen=True)
class Remove:
    """A person deletes a customer."""

    side: str
    pick: int


@dataclass(frozen=True)
class Merge:
    """A person merges a customer into another one of the same system."""

    side: str
    pick: int
    into: int


@dataclass(frozen=True)
class Sync:
    """Datong does one cycle: sync | full | hints | retry | sweep."""

    how: str = "sync"


@dataclass(frozen=True)
class Trouble:
    """Calls will go wrong."""

    side: str
    call: str
    error: str
    effect: str
    times: int


@dataclass(frozen=True)
class Hints:
    """Webhooks point at customers, some of them twice."""

    side: str
    pick: int
    times: int


@dataclass(frozen=True)
class Restart:
    """Datong is stopped and started."""


@dataclass(frozen=True)
class Kill:
    """Datong is killed."""

    lingers: bool
    """Its lease looks alive until it runs out."""


@dataclass(frozen=True)
class SetClock:
    """The clock of Datong's machine is set this many seconds off."""

    seconds: float


@dataclass(frozen=True)
class SetTheirs:
    """The clock of a system is set this many seconds off."""

    side: str
    seconds: float


@dataclass(frozen=True)
class Other:
    """Another process of Datong does a cycle meanwhile."""


@dataclass(frozen=True)
class People:
    """Somebody settles some of what waits for people."""

    pick: int


@dataclass(frozen=True)
class Hide:
    """A field is in no answer of a system any more, or is again."""

    side: str
    field: str


@dataclass(frozen=True)
class Unlink:
    """A person says to Datong that two records which it joined are not one."""

    side: str
    pick: int


@dataclass(frozen=True)
class Remap:
    """Datong is started with another map: whether it says how a system writes a field."""

    side: str
    field: str


@dataclass(frozen=True)
class Backup:
    """Datong's store is copied."""


@dataclass(frozen=True)
class Restore:
    """The last copy is put back in the place of the store, and a person follows the book."""


Act = (
    Pass
    | Make
    | MakeTwin
    | MakeAlike
    | Edit
    | EditBoth
    | Respell
    | Remove
    | Merge
    | Sync
    | Trouble
    | Hints
    | Restart
    | Kill
    | SetClock
    | SetTheirs
    | Other
    | People
    | Hide
    | Unlink
    | Remap
    | Backup
    | Restore
)


@dataclass(frozen=True)
class During:
    """`act` happens in the middle of Datong's work, at its `point`th call, commit or checkpoint from now on."""

    point: int
    act: Act


Step = Act | During

ERRORS = ("time-out", "500", "429", "refused", "denied", "slow", "lost")
_IN_DOUBT = ("time-out", "500", "lost")
"""After the others it is known that nothing happened."""
CALLS = ("read", "get", "find", "write", "write", "write", "any")


def story(dice: Random, traits: Traits, many: int) -> list[Step]:
    """`many` steps by chance. A longer story of the same dice begins with the shorter one."""
    return [_step(dice, traits) for _ in range(many)]


def week(dice: Random, faults: Sequence[str], many: int) -> list[Step]:
    """Seven days of business in `many` steps, in which only these of FAULTS happen, again and again."""
    steps: list[Step] = []
    for number in range(many):
        if faults and dice.random() < _OFTEN:
            steps.append(FAULTS[dice.choice(tuple(faults))](dice))
        else:
            steps.append(_act(dice.choices(tuple(_BUSINESS), tuple(_BUSINESS.values()))[0], dice))
        if number % 2:
            steps += [Sync(), Pass(dice.uniform(0, 2) * 7 * 86400 / (many / 2))]
    return steps


def _step(dice: Random, traits: Traits) -> Step:
    sort = dice.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]
    if sort == "during":
        return During(dice.randrange(1, 60), _act(dice.choices(tuple(_MEANWHILE), tuple(_MEANWHILE.values()))[0], dice))
    return _act(sort, dice)


_WEIGHTS: dict[str, float] = {
    "pass": 22,
    "edit": 30,
    "both": 6,
    "make": 4,
    "twin": 2,
    "alike": 1,
    "respell": 3,
    "remove": 1,
    "merge": 0.5,
    "sync": 8,
    "trouble": 6,
    "hints": 4,
    "restart": 1,
    "kill": 1,
    "clock": 1,
    "theirs": 0.5,
    "people": 2,
    "hide": 1,
    "unlink": 0.2,
    "remap": 0.5,
    "backup": 0.6,
    "restore": 0.4,
    "during": 6,
}
_BUSINESS: dict[str, float] = {
    **{sort: _WEIGHTS[sort] for sort in ("edit", "both", "make", "twin", "alike", "respell", "remove", "merge")},
    **{sort: _WEIGHTS[sort] for sort in ("hints", "people", "sync")},
}
_OFTEN = 0.2
_MEANWHILE: dict[str, int] = {
    "edit": 6,
    "kill": 4,
    "make": 1,
    "pass": 2,
    "other": 3,
    "clock": 1,
    "hints": 1,
    "remove": 1,
    "merge": 1,
}


def _act(sort: str, dice: Random) -> Act:
    side, pick, shape, name = dice.choice(SIDES), dice.randrange(1000), dice.randrange(1000), dice.choice(FIELDS)
    seconds = dice.choice((1.0, 3.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 7200.0, 20000.0))
    call: Literal["read", "get", "find", "write", "any"] = dice.choice(CALLS)  # type: ignore[assignment]
    error, times = dice.choice(ERRORS), dice.choice((1, 1, 1, 2, 3))
    effect = dice.choice(("none", "done", "late", "part"))
    if error not in _IN_DOUBT:
        effect = "none"
    how = dice.choice(("sync", "sync", "sync", "sync", "hints", "retry", "sweep", "full"))
    lingers, off = dice.random() < 0.3, dice.choice((0.0, 0.0, 5.0, -5.0, 90.0, -90.0, 4000.0, -4000.0))
    acts: dict[str, Act] = {
        "pass": Pass(seconds),
        "make": Make(side, shape),
        "twin": MakeTwin(side, pick, shape),
        "alike": MakeAlike(side, pick, shape),
        "edit": Edit(side, pick, name, shape),
        "both": EditBoth(pick, name, shape, side),
        "respell": Respell(side, pick, name),
        "remove": Remove(side, pick),
        "merge": Merge(side, pick, shape),
        "sync": Sync(how),
        "trouble": Trouble(side, call, error, effect, times),
        "hints": Hints(side, pick, times),
        "restart": Restart(),
        "kill": Kill(lingers),
        "clock": SetClock(off),
        "theirs": SetTheirs(side, off),
        "other": Other(),
        "people": People(pick),
        "hide": Hide(side, name),
        "unlink": Unlink(side, pick),
        "remap": Remap(side, name),
        "backup": Backup(),
        "restore": Restore(),
    }
    return acts[sort]


def _trouble(error: str, effect: str = "none", call: str = "any") -> Callable[[Random], Step]:
    return lambda dice: Trouble(dice.choice(SIDES), call, error, effect, dice.choice((1, 1, 2, 5)))


def _meanwhile(act: str) -> Callable[[Random], Step]:
    return lambda dice: During(dice.randrange(1, 60), _act(act, dice))


FAULTS: dict[str, Callable[[Random], Step]] = {
    "time-out": _trouble("time-out"),
    "time-out, done": _trouble("time-out", "done", "write"),
    "time-out, done late": _trouble("time-out", "late", "write"),
    "time-out, half done": _trouble("time-out", "part", "write"),
    "500": _trouble("500"),
    "500, done": _trouble("500", "done", "write"),
    "429": _trouble("429"),
    "refused": _trouble("refused"),
    "denied": _trouble("denied"),
    "slow": _trouble("slow"),
    "lost": _trouble("lost", "part", "write"),
    "killed": _meanwhile("kill"),
    "restarted": lambda dice: Restart(),
    "other process": _meanwhile("other"),
    "edited meanwhile": _meanwhile("edit"),
    "our clock": lambda dice: _act("clock", dice),
    "their clock": lambda dice: _act("theirs", dice),
    "hidden": lambda dice: _act("hide", dice),
    "unlinked": lambda dice: _act("unlink", dice),
    "restored": lambda dice: _act(dice.choice(("backup", "restore")), dice),
    "new map": lambda dice: _act("remap", dice),
}
"""What goes wrong, by name: each is tried alone and together with each other one."""
