"""The connector of a simulated system: the kit's protocol in full, no HTTP. Each remote call is one point in time at
which the story may go on, and at which a fault may strike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, OutcomeUnknown, RateLimited, RemoteError, TryLater
from datong.canon import Account
from datong.kit import Answer, Checked, Connector, ConnectorSettings, Context, KindSpec
from datong.kit.budget import Budget
from datong.kit.wire import Lost, Missing, Moved, Page, Saved, WireRecord, Write
from datong.mapping import Converter, Field, FieldMap, choice, number, take, text
from tests.simulation.moment import SimClock
from tests.simulation.system import Row, System
from tests.simulation.traits import FORMS, LEVEL, LEVELS, NUMBERS, TEXTS, Form, Manners

KIND = Account.kind
SETTLE = timedelta(minutes=2)
Effect = Literal["none", "done", "late", "part"]
_EFFECTS = {"done": "done unheard", "late": "done late", "part": "half a batch"}


@dataclass
class Fault:
    """What befalls calls of one sort (`read`, `get`, `find`, `ids`, `write`, `check`, or `any`), `times` times.

    `effect`: what became of a write all the same.
    """

    call: str
    error: Literal["time-out", "500", "429", "refused", "denied", "slow", "lost"]
    effect: Effect = "none"
    times: int = 1


def path(side: str, name: str) -> str:
    """Where a field lies on the wire."""
    flat = name.replace("custom.", "x_")
    return flat.title() if side == "crm" else f"data.{flat}"


def converter(name: str, form: Form) -> Converter:
    if name == LEVEL:
        return choice({level: FORMS[form.name](level) if form.declared else level for level in LEVELS})
    if name in NUMBERS:
        places = {"whole": 0, "one decimal": 1}.get(form.name) if form.declared else None
        return number(places)
    if not form.declared or form.name == "as it is":
        return text()
    if form.name == "cut to 12":
        return text(12)
    return Converter(f"text {form.name}", text().read, FORMS[form.name], ("大同",))


def field_map(side: str, manners: Manners) -> FieldMap:
    fields = [Field(n, path(side, n), converter(n, manners.form(n))) for n in (*TEXTS, *NUMBERS, LEVEL)]
    fields += [Field("tax_id", path(side, "tax_id"), text()), Field("email", path(side, "email"), text())]
    return FieldMap(KIND, f"{side} customers", tuple(fields), own_key="key" if manners.keeps_key else None)


def spec_of(side: str, manners: Manners) -> KindSpec:
    return KindSpec(
        field_map(side, manners),
        reads=manners.reads,
        create=manners.create,
        settle=SETTLE + timedelta(seconds=manners.search_lag),
        guard=manners.guard,
        change_time=manners.change_time,
        find_by=("tax_id",) if manners.finds_tax_id else (),
        batch=manners.batch,
        one_fails_all=manners.one_fails_all,
        read_lag=timedelta(seconds=manners.stale),
        overlap=timedelta(seconds=manners.late + manners.stale),
    )


class SimConnector(Connector[ConnectorSettings]):
    """Serves one process, told by its number; the system behind it is the same for all. `point` is told each call
    before it is made."""

    name: ClassVar[str] = "simulated"
    title: ClassVar[str] = "Simulated system"
    settings_class = ConnectorSettings

    def __init__(
        self, system: System, clock: SimClock, point: Callable[[str], None], faults: list[Fault], process: int
    ) -> None:
        super().__init__(ConnectorSettings(), Context(system.side, clock, Budget(clock)))
        self.system = system
        self.point = point
        self.faults = faults
        self.process = process
        self._what = ""
        self._spec = spec_of(system.side, system.manners)

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return {KIND: self._spec}

    def check(self) -> Checked:
        self._call("check")
        return Checked(f"{self.system.side} database", "datong", self.system.clock)

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        manners = self.system.manners
        changes = manners.reads == "changes"
        after = from_text(since) - spec.overlap if since and changes else None
        done: set[tuple[datetime, str]] = set()
        while True:
            self._call("read")
            rows = sorted(self._listed(), key=lambda r: (r.changed, r.id) if changes else (r.created, r.id))
            left = [r for r in rows if (r.changed, r.id) not in done and (after is None or r.changed >= after)]
            if not changes:
                left = [r for r in left if r.id not in {i for _, i in done}]
            page = left[: manners.page]
            done |= {(r.changed, r.id) for r in page}
            last = len(left) <= manners.page
            cursor = to_text(page[-1].changed) if page and changes else None
            yield Page([self._wire(r.id) for r in page], cursor, last)
            if last:
                return

    def _listed(self) -> list[Row]:
        """What the list shows now."""
        late = timedelta(seconds=self.system.manners.late)
        old = [row.as_of(self._shown) for row in self.system.rows.values()]
        there = [r for r in old if r is not None]
        shown = [r for r in there if r.version % 2 or r.touched + late <= self.system.time.now]
        self.system.ledger.struck["late"] += len(shown) < len(there)
        return shown

    @property
    def _shown(self) -> datetime:
        """The moment whose state is shown to who reads."""
        return self.system.time.now - timedelta(seconds=self.system.manners.stale)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        self._call("get")
        found: list[WireRecord | Missing] = []
        for id in ids:
            row = self.system.rows.get(id)
            if row is not None and row.as_of(self._shown) is not None:
                found.append(self._wire(id))
            else:
                into = self.system.gone.get(id)
                found.append(Missing(id, "merged", into) if into else Missing(id))
        yield from found

    def ids(self, spec: KindSpec) -> Iterator[str]:
        self._call("ids")
        yield from [row.id for row in self.system.rows.values()]

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        self._call("find")
        fresh = self.system.time.now - timedelta(seconds=self.system.manners.search_lag)
        wanted = set(values)
        held = [r for r in self.system.rows.values() if (r.key if by == "own_key" else r.values.get(by)) in wanted]
        found = [r for r in held if r.created <= fresh]
        self.system.ledger.struck["search lag"] += len(found) < len(held)
        yield from [self._wire(r.id) for r in found]

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        assert len(batch) <= spec.batch, "more writes in a call than the system takes"
        fault = self._call("write")
        if fault is None:
            yield from [self._write(one) for one in batch]
            return
        self.system.ledger.struck[_EFFECTS[fault.effect]] += 1
        if fault.effect == "done":
            for one in batch:
                self._write(one, heard=False)
        elif fault.effect == "part":
            many = (len(batch) + 1) // 2
            yield from [self._write(one) for one in batch[:many]]
            if fault.error == "lost":
                yield from [Lost(one.ref, "nobody knows") for one in batch[many:]]
                return
        elif fault.effect == "late":
            for one in [w for w in batch if w.action == "create"]:
                self.system.later(45.0, lambda one=one: self._create(one, late=True))
        raise _raised(fault)

    # one write -----------------------------------------------------------------------------------------------------

    def _write(self, one: Write, *, heard: bool = True) -> Answer:
        """`heard`: the answer arrives."""
        if one.action == "create":
            return self._create(one, heard=heard)
        row = self.system.rows.get(str(one.id))
        if row is None or (self.system.manners.guard and one.version != str(row.version)):
            self.system.ledger.struck["moved"] += 1
            return Moved(one.ref)
        if one.action == "delete":
            self.system.delete(row)
            return Saved(one.ref, row.id, None)
        self.system.update(row, self._values(one))
        return Saved(one.ref, row.id, self._wire(row.id) if heard else None)

    def _create(self, one: Write, *, late: bool = False, heard: bool = True) -> Answer:
        if self.system.manners.create == "by_key":
            for row in self.system.rows.values():
                if row.key == one.key:
                    return Saved(one.ref, row.id, self._wire(row.id), existed=True)
        row = self.system.create(one.key, self._values(one), late=late)
        return Saved(one.ref, row.id, self._wire(row.id) if heard and not late else None)

    def _values(self, one: Write) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for entry in self._spec.map.fields:
            value = take(one.values, entry.path)
            if isinstance(value, (str, int, float)) or value is None:
                found[entry.name] = value
        return found

    def _wire(self, id: str) -> WireRecord:
        row = self.system.told(id, self._what, self.process)
        manners = self.system.manners
        data: dict[str, Any] = {"key": row.key}
        for entry in self._spec.map.fields:
            if entry.name in self.system.hidden:
                continue
            *way, last = entry.path.split(".")
            here = data
            for step in way:
                here = here.setdefault(step, {})
            here[last] = row.values.get(entry.name)
        versioned = manners.guard or manners.change_time
        return WireRecord(
            row.id, data, str(row.version) if versioned else None, row.changed if manners.change_time else None
        )

    # the wire ------------------------------------------------------------------------------------------------------

    def _call(self, what: str) -> Fault | None:
        """One remote call: time passes, the story may go on, a fault may strike (that of a write is given back, for
        what became of the write is another matter)."""
        self._what = what
        self.system.time.lapse(0.02)
        self.point(f"{self.system.side} {what}")
        fault = next((f for f in self.faults if f.call in (what, "any")), None)
        if fault is None:
            return None
        self.system.ledger.struck[fault.error] += 1
        fault.times -= 1
        if not fault.times:
            self.faults.remove(fault)
        if fault.error == "slow":
            self.system.time.lapse(75.0)
            return None
        if what == "write" and fault.effect != "none":
            return fault
        raise _raised(fault, writes=what == "write")


def _raised(fault: Fault, writes: bool = True) -> RemoteError:
    """As `kit.http` would raise it."""
    told = f"simulated {fault.error}"
    if fault.error == "429":
        return RateLimited(told, after=30.0)
    if fault.error == "refused":
        return TryLater(told)
    if fault.error == "denied":
        return AccessDenied(told, remedy="check the credentials")
    return OutcomeUnknown(told) if writes else TryLater(told)
