"""What every demo shows: check, plan, apply, sync until quiet, and a person deciding a conflict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datong.cli import telling
from datong.cli.demo.feed import Feed
from datong.cli.demo.voice import act, say
from datong.cli.output import show
from datong.operations import Actor, checking, sync, work

if TYPE_CHECKING:
    from datong.bootstrap.build import App
    from datong.cli.context import Session
    from datong.engine.cycle import Engine, Result

QUIET = 6
"""So many syncs must be enough until there is nothing left to write."""


@dataclass
class Scene:
    """Datong between two systems."""

    session: Session
    actor: Actor

    @property
    def app(self) -> App:
        return self.session.app

    def engine(self) -> Engine:
        return self.app.engine(self.actor.name)


def checked(scene: Scene) -> None:
    act(2, "datong check: is all as it should be?", "检查配置与连接")
    told = checking.check(scene.engine(), scene.actor)
    for one in told["connections"]:
        say(f"{one['name']}: {'ok' if one['ok'] else 'NOT OK'}, {one['detail']}")
    for problem in told["problems"]:
        say(f"{problem['severity']}: {problem['cause']}")


def planned_and_applied(scene: Scene) -> None:
    act(3, "datong plan: what would be written, and why", "计划：将写入什么、为什么；此时尚未写入")
    engine = scene.engine()
    told = sync.plan(engine, scene.actor)
    changes = sync.plan_changes_of(engine, scene.actor, told["id"], limit=None)
    show(telling.totals(told, telling.PLANNED), telling.counts(changes))
    show(telling.differences(scene.session, _some_of_each(changes, 2), None))
    say(
        f"{told['linked']} records were recognised by tax id, number, sku or code; {told['reviews']} only look alike, "
        "and wait for a person",
        f"{told['linked']} 条记录按税号、编号等自动对应；{told['reviews']} 对仅相似，等待人工确认",
    )
    act(4, "datong apply: what was planned, and no more", "执行计划")
    result_told(sync.apply(engine, scene.actor, told["id"]))
    say("and again until there is nothing left to write:", "再次同步，直到无需写入：")
    until_quiet(scene)


def _some_of_each(changes: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """At most so many of each kind, place and action."""
    seen: Counter[tuple[str, ...]] = Counter()
    chosen = []
    for change in changes:
        group = (change["kind"], change["connection"], change["action"])
        seen[group] += 1
        if seen[group] <= most:
            chosen.append(change)
    return chosen


def result_told(result: Result) -> None:
    say(f"{telling.totals(vars(result), telling.DONE)}; {result.seconds:.1f} s")
    for problem in result.problems:
        say(f"! {problem}")


def synced(scene: Scene) -> Result:
    """One sync; where the mass guard stops it, a person accepts the plan."""
    engine = scene.engine()
    result = sync.sync(engine, scene.actor)
    result_told(result)
    if result.stopped:
        say(
            f"a person looks at the plan, and accepts it: datong apply {result.plan} --accept-mass",
            "批量变更先停下，由人查看计划后接受",
        )
        result = sync.apply(engine, scene.actor, result.plan, accept_mass=True)
        result_told(result)
    return result


def until_quiet(scene: Scene) -> bool:
    """False when there is always something left to write."""
    for _ in range(QUIET):
        result = synced(scene)
        if not (result.created or result.updated or result.deleted or result.later or result.problems):
            return True
    return False


def conflicts_decided(scene: Scene, feed: Feed) -> None:
    """Both sides changed one field: a person takes the CRM's value."""
    engine = scene.engine()
    for item in work.listed(engine, scene.actor, ("conflict",)):
        say(
            f"{item['reason']}; a person decides: datong conflict resolve {item['id']} --take crm",
            "双方修改了同一字段，由人裁决",
        )
        work.resolve(engine, scene.actor, item["id"], take="crm")
    feed.tell()
