"""The acts of the demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datong.cli import telling
from datong.cli.demo import agreement, edits
from datong.cli.demo.feed import Feed
from datong.cli.demo.keep import keep_in_agreement
from datong.cli.demo.stage import Stage, Wishes, set_up
from datong.cli.demo.voice import act, say
from datong.cli.failures import FAILED
from datong.cli.output import document, short, show, table
from datong.operations import checking, sync, work

if TYPE_CHECKING:
    from datong.cli.context import Session
    from datong.engine.cycle import Result

__all__ = ["Wishes", "perform"]
QUIET = 6
"""So many syncs must be enough until there is nothing left to write."""


def perform(session: Session, wishes: Wishes) -> int:
    """Gives the exit status."""
    with set_up(session, wishes) as stage:
        _opening(stage)
        _check(stage)
        _plan_and_apply(stage)
        if wishes.once:
            return _once(stage)
        keep_in_agreement(stage, wishes.port)
        return 0


def _opening(stage: Stage) -> None:
    act(1, "Two systems that disagree", "两个数据不一致的系统")
    crm, erp = stage.sandbox.crm, stage.sandbox.erp
    say(f"A simulated CRM: {crm.url}   {len(crm.rows('accounts'))} customers", "模拟 CRM，网页可查看和修改")
    say(f"A simulated ERP: {erp.url}   {len(erp.rows('customers'))} customers", "模拟 ERP，有两家公司、三种货币")
    say(f"Configuration:   {stage.session.config_file}", "配置文件")


def _check(stage: Stage) -> None:
    act(2, "datong check: is all as it should be?", "检查配置与连接")
    told = checking.check(stage.engine(), stage.actor)
    for one in told["connections"]:
        say(f"{one['name']}: {'ok' if one['ok'] else 'NOT OK'}, {one['detail']}")
    for problem in told["problems"]:
        say(f"{problem['severity']}: {problem['cause']}")


def _plan_and_apply(stage: Stage) -> None:
    act(3, "datong plan: what would be written, and why", "计划：将写入什么、为什么；此时尚未写入")
    engine = stage.engine()
    told = sync.plan(engine, stage.actor)
    changes = sync.plan_changes_of(engine, stage.actor, told["id"], limit=None)
    show(telling.totals(told, telling.PLANNED), telling.counts(changes))
    show(telling.differences(stage.session, _some_of_each(changes, 2), None))
    say(
        f"{told['linked']} records were recognised by tax id, number, sku or code; {told['reviews']} only look alike, "
        "and wait for a person",
        f"{told['linked']} 条记录按税号、编号等自动对应；{told['reviews']} 对仅相似，等待人工确认",
    )
    act(4, "datong apply: what was planned, and no more", "执行计划")
    result = sync.apply(engine, stage.actor, told["id"])
    _told(result)
    say("and again until there is nothing left to write:", "再次同步，直到无需写入：")
    _until_quiet(stage)


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


def _told(result: Result) -> None:
    say(f"{telling.totals(vars(result), telling.DONE)}; {result.seconds:.1f} s")
    for problem in result.problems:
        say(f"! {problem}")


def _until_quiet(stage: Stage) -> bool:
    engine = stage.engine()
    for _ in range(QUIET):
        result = sync.sync(engine, stage.actor)
        _told(result)
        if not (result.created or result.updated or result.deleted):
            return True
    return False


def _once(stage: Stage) -> int:
    act(5, "Edits on both sides", "两边同时修改")
    sandbox = stage.sandbox
    made = edits.make(sandbox, agreement.customer_pairs(sandbox.crm.rows("accounts"), sandbox.erp.rows("customers")))
    show(table("", ("edited in", "what", "so"), [[e.where, e.what, e.then] for e in made]))
    feed = Feed(stage.app.store)
    _told(sync.sync(stage.engine(), stage.actor))
    feed.tell()
    _decide(stage, feed)
    quiet = _until_quiet(stage)
    feed.tell()
    act(6, "Do both sides agree? Their own data say", "两边是否一致？以两个系统自身的数据为准")
    verdict = agreement.compare(sandbox.crm.rows, sandbox.erp.rows)
    _judged(stage, verdict, quiet)
    return 0 if verdict.agree and quiet else FAILED


def _decide(stage: Stage, feed: Feed) -> None:
    """Both sides changed one field: a person takes the CRM's value."""
    engine = stage.engine()
    for item in work.listed(engine, stage.actor, ("conflict",)):
        say(
            f"{item['reason']}; a person decides: datong conflict resolve {item['id']} --take crm",
            "双方修改了同一字段，由人裁决",
        )
        work.resolve(engine, stage.actor, item["id"], take="crm")
    feed.tell()


def _judged(stage: Stage, verdict: agreement.Verdict, quiet: bool) -> None:
    rows: list[list[Any]] = []
    for what, pairs in verdict.pairs.items():
        differ = sum(d.what == what for d in verdict.differences)
        rows.append([what, pairs, verdict.fields[what], differ])
    show(table("", ("", "pairs", "fields compared", "different"), rows))
    for one in verdict.differences:
        say(f"DIFFERENT {one.what} {one.crm_id} / {one.erp_id}, {one.field}: {short(one.crm)} / {short(one.erp)}")
    for told in (*verdict.doubled, *verdict.lost):
        say(f"WRONG {told}")
    if not quiet:
        say(f"WRONG there is still something to write after {QUIET} syncs")
    good = verdict.agree and quiet
    say(*(("Both sides agree.", "两边一致。") if good else ("The two sides DISAGREE.", "两边不一致！")))
    if stage.session.json:
        document({"agree": good, "pairs": verdict.pairs, "differences": [vars(d) for d in verdict.differences]})
