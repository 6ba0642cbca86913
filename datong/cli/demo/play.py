"""The demo on the two simulated systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datong.cli.demo import acts, agreement, edits
from datong.cli.demo.feed import Feed
from datong.cli.demo.keep import keep_in_agreement
from datong.cli.demo.stage import Stage, Wishes, set_up
from datong.cli.demo.voice import act, say
from datong.cli.failures import FAILED
from datong.cli.output import short, show, table

if TYPE_CHECKING:
    from datong.cli.context import Session

__all__ = ["Wishes", "perform"]


def perform(session: Session, wishes: Wishes) -> int:
    """Gives the exit status."""
    with set_up(session, wishes) as stage:
        _opening(stage)
        acts.checked(stage)
        acts.planned_and_applied(stage)
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


def _once(stage: Stage) -> int:
    act(5, "Edits on both sides", "两边同时修改")
    sandbox = stage.sandbox
    made = edits.make(sandbox, agreement.customer_pairs(sandbox.crm.rows("accounts"), sandbox.erp.rows("customers")))
    show(table("", ("edited in", "what", "so"), [[e.where, e.what, e.then] for e in made]))
    feed = Feed(stage.app.store)
    acts.synced(stage)
    feed.tell()
    acts.conflicts_decided(stage, feed)
    quiet = acts.until_quiet(stage)
    feed.tell()
    act(6, "Do both sides agree? Their own data say", "两边是否一致？以两个系统自身的数据为准")
    return 0 if judged(agreement.compare(sandbox.crm.rows, sandbox.erp.rows), quiet) else FAILED


def judged(verdict: agreement.Verdict, quiet: bool) -> bool:
    """Show the verdict; gives whether all is well."""
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
        say(f"WRONG there is still something to write after {acts.QUIET} syncs")
    good = verdict.agree and quiet
    say(*(("Both sides agree.", "两边一致。") if good else ("The two sides DISAGREE.", "两边不一致！")))
    return good
