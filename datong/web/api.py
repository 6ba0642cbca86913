"""The API under /api/v1: what the operations do, as JSON, for programs with a token and for the console's own pages.

Who asks and what they may is decided by the operations, as for the command line. Amounts are text, so that no program
rounds them; times are UTC. What takes long is done by the worker between two cycles, and its answer waited for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from datong.base import json, log
from datong.base.errors import ConfigurationError, DatongError, NotFound, RemoteError, StoreError, UsageError
from datong.operations import approvals, chain, checking, overview, plans, reconcile, records, sync, undo, work
from datong.operations.access import Access, LockedOut, NotLoggedIn
from datong.operations.actor import Actor, NotAllowed
from datong.web.desk import Desk
from datong.web.visitor import actor as asking

VERSION = "v1"
After = Annotated[int, Query(ge=0, description="only those after this id: `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="at most so many")]


class Exact(JSONResponse):
    """Amounts as text."""

    def render(self, content: Any) -> bytes:
        return json.encode(content)


class Page(BaseModel):
    """Some of a list; `next` is what `after` takes for those that follow."""

    items: list[dict[str, Any]]
    next: int | None = None


class Told(BaseModel):
    """What goes with a decision."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field("", max_length=2000, description="why; it is kept in the journal")


class Resolved(BaseModel):
    """How a conflict ends: by the value that a connection holds, or by one that is given."""

    model_config = ConfigDict(extra="forbid")

    take: str | None = Field(None, description="the value that this connection holds stands")
    value: str | None = Field(None, max_length=100_000, description="this value stands; empty clears the field")


class Planned(BaseModel):
    """What to plan or sync."""

    model_config = ConfigDict(extra="forbid")

    flows: list[str] = Field(default_factory=list, description="only these flows; all where none is named")
    full: bool = Field(False, description="read everything, not only what changed")


class Undone(BaseModel):
    """How to take back."""

    model_config = ConfigDict(extra="forbid")

    hold: bool = Field(False, description="what is put back is held, so that no side changes it again")


class Applied(BaseModel):
    """How to apply."""

    model_config = ConfigDict(extra="forbid")

    accept_mass: bool = Field(False, description="let a plan pass that the mass guard stopped")


def _asking(request: Request) -> Actor:
    return asking(request.app.state.access, request)


def _here(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


Me = Annotated[Actor, Depends(_asking)]
Here = Annotated[Desk, Depends(_here)]

state_router = APIRouter(tags=["state"])


@state_router.get("/me")
def me(actor: Me) -> dict[str, Any]:
    """Who asks, and with which roles."""
    return {"name": actor.name, "roles": list(actor.roles)}


@state_router.get("/overview")
def state(actor: Me, desk: Here) -> dict[str, Any]:
    """Agreement, what waits, the connections, what was written in the last hour."""
    return overview.overview(desk.reading, actor)


@state_router.get("/flows")
def flows(actor: Me, desk: Here) -> list[dict[str, Any]]:
    """The flows that run."""
    return overview.flows(desk.reading, actor)


@state_router.get("/connections")
def connections(actor: Me, desk: Here) -> list[dict[str, Any]]:
    """The connections, and whether they answer."""
    return overview.connections(desk.reading, actor)


@state_router.post("/check")
def check(actor: Me, desk: Here) -> dict[str, Any]:
    """Try the whole configuration: systems, rights, codes, cost."""
    return desk.long(actor, lambda engine: checking.check(engine, actor))


@state_router.get("/journal")
def history(
    actor: Me,
    desk: Here,
    since: datetime | None = None,
    after: Annotated[int | None, Query(ge=0)] = None,
    limit: Limit = 100,
) -> Page:
    """Rows of the journal, oldest first; the newest where neither `since` nor `after` is given."""
    if since is not None and since.tzinfo is None:
        raise UsageError("`since` has no time zone", remedy="such as 2026-11-21T08:00:00Z")
    more = 0 if since is None and after is None else 1
    return _page(overview.history(desk.reading, actor, since=since, after=after, limit=limit + more), limit)


items_router = APIRouter(prefix="/items", tags=["items"])


@items_router.get("")
def listed(
    actor: Me,
    desk: Here,
    type: Annotated[list[Literal["parked", "review", "conflict"]] | None, Query()] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Page:
    """What waits for a person, oldest first."""
    kinds = tuple(type or ("parked", "review", "conflict"))
    return _page(work.listed(desk.reading, actor, kinds, after=after, limit=limit + 1), limit)


@items_router.get("/{item}")
def shown(actor: Me, desk: Here, item: int) -> dict[str, Any]:
    """One item, open or settled."""
    return work.shown(desk.reading, actor, item)


@items_router.post("/{item}/retry")
def retry(actor: Me, desk: Here, item: int) -> dict[str, Any]:
    """Try again what it holds up."""
    return desk.act(actor, lambda engine: work.retry(engine, actor, item))


@items_router.post("/{item}/dismiss")
def dismiss(actor: Me, desk: Here, item: int) -> dict[str, Any]:
    """Leave it as it is, until one of its values changes."""
    return desk.act(actor, lambda engine: work.dismiss(engine, actor, item))


@items_router.post("/{item}/link")
def link(actor: Me, desk: Here, item: int) -> dict[str, Any]:
    """The two are one."""
    return desk.act(actor, lambda engine: work.link(engine, actor, item))


@items_router.post("/{item}/separate")
def separate(actor: Me, desk: Here, item: int) -> dict[str, Any]:
    """The two are not one."""
    return desk.act(actor, lambda engine: work.separate(engine, actor, item))


@items_router.post("/{item}/resolve")
def resolve(actor: Me, desk: Here, item: int, how: Resolved) -> dict[str, Any]:
    """Settle a conflict."""
    return desk.act(actor, lambda engine: work.resolve(engine, actor, item, take=how.take, value=how.value))


@items_router.post("/{item}/approve")
def approve(actor: Me, desk: Here, item: int, told: Annotated[Told, Body()] = Told()) -> dict[str, Any]:  # noqa: B008
    """Agree to what a rule asks for; it stands for the figures shown."""
    return desk.act(actor, lambda engine: approvals.answer(engine, actor, item, yes=True, note=told.note))


@items_router.post("/{item}/refuse")
def refuse(actor: Me, desk: Here, item: int, told: Annotated[Told, Body()] = Told()) -> dict[str, Any]:  # noqa: B008
    """Refuse it, with the reason."""
    return desk.act(actor, lambda engine: approvals.answer(engine, actor, item, yes=False, note=told.note))


records_router = APIRouter(tags=["records"])


@records_router.get("/records")
def found(
    actor: Me,
    desk: Here,
    text: Annotated[str, Query(max_length=200)] = "",
    kind: Annotated[list[str] | None, Query()] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Page:
    """Records whose values or ids hold every word of `text`."""
    return _page(overview.found(desk.reading, actor, text, kind or (), after=after, limit=limit + 1), limit)


@records_router.get("/records/{record}")
def explained(actor: Me, desk: Here, record: int) -> dict[str, Any]:
    """One record over all systems: where each value came from, what was decided, what waits and why."""
    return records.explain_record(desk.reading, actor, record)


@records_router.get("/connections/{connection}/{kind}/{native_id}")
def standing(actor: Me, desk: Here, connection: str, kind: str, native_id: str) -> dict[str, Any]:
    """The same, found by the id that it has in a system."""
    return records.explain(desk.reading, actor, connection, native_id, kind)


@records_router.post("/connections/{connection}/{kind}/{native_id}/{what}")
def hold(
    actor: Me, desk: Here, connection: str, kind: str, native_id: str, what: Literal["pause", "lock", "release"]
) -> dict[str, Any]:
    """Let it rest, or no more."""
    return desk.act(actor, lambda engine: records.hold(engine, actor, what, connection, native_id, kind))


@records_router.get("/chain/{connection}/{native_id}")
def documents(actor: Me, desk: Here, connection: str, native_id: str, kind: str | None = None) -> dict[str, Any]:
    """All documents that belong together, over both systems, and who waits for whom."""
    return chain.chain(desk.reading, actor, connection, native_id, kind)


plans_router = APIRouter(tags=["plans"])


@plans_router.get("/plans")
def plan_list(actor: Me, desk: Here, every: bool = False, limit: Limit = 50) -> list[dict[str, Any]]:
    """Plans that may still be applied, newest first; with `every` also those that were, or will not be."""
    return plans.listed(desk.reading, actor, limit=limit, every=every)


@plans_router.post("/plans", status_code=201)
def make(actor: Me, desk: Here, what: Annotated[Planned, Body()] = Planned()) -> dict[str, Any]:  # noqa: B008
    """Everything that would be written now; nothing is."""
    return desk.long(actor, lambda engine: sync.plan(engine, actor, what.flows, full=what.full))


@plans_router.get("/plans/{plan}")
def plan_shown(actor: Me, desk: Here, plan: str) -> dict[str, Any]:
    """One plan: its totals, who is asked about it, and what they said."""
    return plans.shown(desk.reading, actor, plan)


@plans_router.get("/plans/{plan}/steps")
def steps(actor: Me, desk: Here, plan: str, after: After = 0, limit: Limit = 100) -> Page:
    """The steps of an undo: whether each can be taken back, and how."""
    return _page(undo.steps_told(desk.reading, actor, plan, after=after, limit=limit + 1), limit, "number")


@plans_router.post("/plans/{plan}/approve")
def agree(actor: Me, desk: Here, plan: str, told: Annotated[Told, Body()] = Told()) -> dict[str, Any]:  # noqa: B008
    """Agree to a plan; it stands for its content."""
    return desk.act(actor, lambda engine: plans.answer(engine, actor, plan, yes=True, note=told.note))


@plans_router.post("/plans/{plan}/reject")
def reject(actor: Me, desk: Here, plan: str, told: Annotated[Told, Body()] = Told()) -> dict[str, Any]:  # noqa: B008
    """Reject a plan, with the reason."""
    return desk.act(actor, lambda engine: plans.answer(engine, actor, plan, yes=False, note=told.note))


@plans_router.get("/runs")
def runs(
    actor: Me, desk: Here, before: Annotated[int | None, Query(ge=0)] = None, limit: Limit = 50
) -> list[dict[str, Any]]:
    """The last runs, newest first: what, when, by whom, how much came of it."""
    return undo.run_list(desk.reading, actor, before=before, limit=limit)


@plans_router.post("/runs/{run}/undo", status_code=201)
def take_back(actor: Me, desk: Here, run: str, how: Annotated[Undone, Body()] = Undone()) -> dict[str, Any]:  # noqa: B008
    """A plan that takes back what a run did; nothing is written before it is applied."""
    return desk.long(actor, lambda engine: undo.undo(engine, actor, run, hold=how.hold))


@plans_router.get("/reports")
def reports(actor: Me, desk: Here, limit: Limit = 50) -> list[dict[str, Any]]:
    """Reports of reconciliations, newest first."""
    return reconcile.listed(desk.reading, actor, limit)


@plans_router.get("/reports/{report}")
def report(actor: Me, desk: Here, report: str) -> dict[str, Any]:
    """A report as it was signed."""
    return reconcile.shown(desk.reading, actor, report)


@plans_router.post("/reconcile", status_code=201)
def compare(actor: Me, desk: Here, what: Annotated[Planned, Body()] = Planned()) -> dict[str, Any]:  # noqa: B008
    """Read both sides in full and compare them; the repair is a plan. Nothing is written to any system."""
    return desk.long(actor, lambda engine: reconcile.reconcile(engine, actor, what.flows))


@plans_router.get("/plans/{plan}/changes")
def changes(actor: Me, desk: Here, plan: str, after: After = 0, limit: Limit = 100) -> Page:
    """The changes of a plan, in order."""
    rows = sync.plan_changes_of(desk.reading, actor, plan, after=after, limit=limit + 1)
    return _page(rows, limit, "number")


@plans_router.post("/plans/{plan}/apply")
def apply(actor: Me, desk: Here, plan: str, how: Annotated[Applied, Body()] = Applied()) -> dict[str, Any]:  # noqa: B008
    """Carry it out; what moved meanwhile is listed."""
    return desk.long(actor, lambda engine: sync.apply(engine, actor, plan, accept_mass=how.accept_mass).told)


@plans_router.post("/sync")
def run(actor: Me, desk: Here, what: Annotated[Planned, Body()] = Planned()) -> dict[str, Any]:  # noqa: B008
    """Read, plan and apply in one."""
    return desk.long(actor, lambda engine: sync.sync(engine, actor, what.flows, full=what.full).told)


def create(desk: Desk, access: Access) -> FastAPI:
    """The API as an application of its own, to be mounted."""
    api = FastAPI(
        title="Datong 打通",
        version=VERSION,
        description=__doc__,
        docs_url=None,  # its page loads scripts from another host
        redoc_url=None,
        default_response_class=Exact,
        responses={401: {"description": "not logged in"}, 403: {"description": "not allowed"}},
    )
    api.state.desk, api.state.access = desk, access
    api.add_exception_handler(DatongError, _refused)
    for router in (state_router, items_router, records_router, plans_router):
        api.include_router(router)
    return api


def _refused(request: Request, error: Exception) -> JSONResponse:
    """What happened and what to do about it, with the status that programs go by."""
    assert isinstance(error, DatongError)
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    if status >= 500:
        log.get("api").warning("refused", path=request.url.path, cause=str(error))
    told: dict[str, Any] = {"error": str(error), "remedy": error.remedy}
    headers = {"Retry-After": str(error.seconds)} if isinstance(error, LockedOut) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, records.SeveralError):
        told["hits"] = error.hits
    return Exact(told, status, headers=headers)


_STATUS: tuple[tuple[type[DatongError], int], ...] = (
    (LockedOut, 429),
    (NotLoggedIn, 401),
    (NotAllowed, 403),
    (NotFound, 404),
    (ConfigurationError, 409),
    (UsageError, 400),
    (StoreError, 503),
    (RemoteError, 502),
)


def _page(rows: list[dict[str, Any]], limit: int, key: str = "id") -> Page:
    """One row more than asked for says that there are others."""
    more = rows[limit - 1][key] if len(rows) > limit else None
    return Page(items=rows[:limit], next=more)
