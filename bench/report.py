"""One Markdown table: what Datong reached beside the same job written by hand, and whether that meets the target.

    python -m bench report FILE...

Both were measured in the same run, taking turns; a ratio is the median over the repetitions of datong / bound of one
repetition. The CPU ratio, datong / bound, is of medians and says more where other programs ran beside. What was not
verified at the sink fails, however quick it was.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

Row = dict[str, Any]
Measured = list[tuple[float, float]]
"""(bound, datong) of each repetition."""

REFERENCE = 100_000


@dataclass(frozen=True)
class Target:
    """`ratio` of what, compared how (`at_most`: the ratio must not be above the limit), for which rows."""

    what: str
    part: str
    peer: str
    bound: str
    value: str
    limit: float
    where: tuple[tuple[str, Any], ...]
    better: Literal["at most", "at least"] = "at most"
    unit: str = "s"

    def holds(self, reached: float) -> bool:
        compare: Callable[[float, float], bool] = operator.le if self.better == "at most" else operator.ge
        return compare(reached, self.limit)


def _job(what: str, job: str, peer: str, limit: float) -> Target:
    where = (("job", job), ("n", REFERENCE))
    if job == "full":
        return Target(what, "job", peer, "bound-rows", "rate", limit, where, "at least", "/s")
    return Target(what, "job", peer, "bound-rows", "wall", limit, where)


def _hook(what: str, peer: str, bound: str, value: str, limit: float) -> Target:
    return Target(what, "latency", peer, bound, value, limit, (("rate", 200),), unit="ms")


TARGETS = (
    _job("first load of 100,000", "full", "datong", 0.35),
    _job("first load of 100,000, store on PostgreSQL", "full", "datong-pg", 0.25),
    _job("1,000 of 100,000 changed", "delta", "datong", 4),
    _job("1,000 of 100,000 changed, PostgreSQL", "delta", "datong-pg", 4),
    _job("nothing changed", "idle", "datong", 4),
    _job("nothing changed, PostgreSQL", "idle", "datong-pg", 4),
    _hook("webhook to sink, 200/s, payload complete: p50", "datong-run", "bound-hook", "p50_ms", 3),
    _hook("webhook to sink, 200/s, payload complete: p99", "datong-run", "bound-hook", "p99_ms", 4),
    _hook("webhook to sink, 200/s, one GET: p50", "datong-run-get", "bound-hook-get", "p50_ms", 3),
    _hook("webhook to sink, 200/s, one GET: p99", "datong-run-get", "bound-hook-get", "p99_ms", 4),
)
IDLE_CYCLE_MS = 20.0
MEMORY_MB = 200.0
GROWTH = 11.0
"""1,000,000 may take so many times what 100,000 take."""


def read(files: Iterable[Path]) -> list[Row]:
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf8").splitlines()]
    for row in rows:
        if row.get("job") == "full":
            row["rate"] = row["n"] / row["wall"]
    return rows


def report(rows: Sequence[Row]) -> str:
    """The table of targets, and below it what was measured."""
    lines = [_about(row) for row in rows if row["part"] == "about"]
    lines += ["", "| | bound | Datong | ratio (least - most) | CPU ratio | target | |", "|---" * 7 + "|"]
    for target in TARGETS:
        mine = _rows(rows, target, target.peer)
        if mine:
            lines.append(_compared(target, mine, _rows(rows, target, target.bound)))
    lines += _idle(rows) + _memory(rows) + _growth(rows)
    return "\n".join([*lines, *_raw(rows)]) + "\n"


def passed(rows: Sequence[Row]) -> bool:
    return "FAIL" not in report(rows)


def _about(row: Row) -> str:
    return f"{row['date']}, commit {row['commit']}, Python {row['python']}, {row['machine']}"


def _rows(rows: Iterable[Row], target: Target, peer: str) -> list[Row]:
    """The peer's rows for a target; where the run was of another size, those."""
    mine = [r for r in rows if r["part"] == target.part and r["peer"] == peer]
    exact = [r for r in mine if all(r.get(k) == v for k, v in target.where)]
    loose = [r for r in mine if all(r.get(k) == v for k, v in target.where if k not in ("n", "rate"))]
    return exact or (loose if len({r.get("n") for r in loose}) == 1 else [])


def _compared(target: Target, mine: list[Row], bounds: list[Row]) -> str:
    its = {(r["rep"], r.get("rate") if r["part"] == "latency" else None): r[target.value] for r in bounds if r["ok"]}
    key = lambda r: (r["rep"], r.get("rate") if r["part"] == "latency" else None)  # noqa: E731
    pairs: Measured = [(its[key(r)], r[target.value]) for r in mine if r["ok"] and key(r) in its]
    told = f"{target.better} {target.limit:g}"
    what = target.what if all(mine[0].get(k) == v for k, v in target.where) else f"{target.what} ({_size(mine[0])})"
    if not all(r["ok"] for r in mine):
        return f"| {what} | | not verified | | | {told} | FAIL |"
    if not pairs:
        return f"| {what} | not measured | | | | {told} | |"
    ratios = [datong / bound for bound, datong in pairs]
    bound, datong = (median(values) for values in zip(*pairs, strict=True))
    reached = median(ratios)
    verdict = ("PASS" if target.holds(reached) else "FAIL") if what == target.what else "other size"
    shown = [f"{_figure(v)} {target.unit}".replace(" /s", "/s") for v in (bound, datong)]
    spread = f" ({min(ratios):.2f} - {max(ratios):.2f})" if len(ratios) > 1 else ""
    work = median(map(_work, mine)) / median(map(_work, bounds))
    return f"| {what} | {shown[0]} | {shown[1]} | **{reached:.2f}**{spread} | {work:.1f} | {told} | {verdict} |"


def _work(row: Row) -> float:
    """CPU seconds, those of its database server too."""
    return float(row["cpu"] + row.get("database_cpu", 0))


def _size(row: Row) -> str:
    return f"here {row['rate']}/s" if row["part"] == "latency" else f"here {row['n']:,}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}"


def _idle(rows: Sequence[Row]) -> list[str]:
    lines = []
    for row in (r for r in rows if r["part"] == "idle"):
        good = row["ok"] and row["cycle_ms"] <= IDLE_CYCLE_MS
        beside = f"{row['standing']:.1%} of a core beside"
        lines.append(
            f"| idle cycle of the service, CPU a kind ({row['n']:,} records, {row['cycles']} cycles) | | "
            f"{row['cycle_ms']} ms, {beside} | | at most {IDLE_CYCLE_MS:g} ms | {'PASS' if good else 'FAIL'} |"
        )
    return lines


def _memory(rows: Sequence[Row]) -> list[str]:
    lines = []
    for n in sorted({r["n"] for r in rows if r["part"] == "job"}):
        most = {p: max((r["rss_mb"] for r in _of(rows, n, p)), default=0.0) for p in ("bound-rows", "datong")}
        if most["datong"]:
            verdict = "PASS" if most["datong"] < MEMORY_MB else "FAIL"
            shown = f"{most['bound-rows']:.0f} MB | {most['datong']:.0f} MB"
            lines.append(
                f"| most memory of any run, {n:,} records | {shown} | | | below {MEMORY_MB:g} MB | {verdict} |"
            )
    return lines


def _of(rows: Iterable[Row], n: int, peer: str, job: str | None = None) -> list[Row]:
    return [r for r in rows if r["part"] == "job" and (r["n"], r["peer"]) == (n, peer) and job in (None, r["job"])]


def _growth(rows: Sequence[Row]) -> list[str]:
    walls = {
        (n, peer): median(found)
        for n in (REFERENCE, 10 * REFERENCE)
        for peer in ("bound-rows", "datong")
        if (found := [r["wall"] for r in _of(rows, n, peer, "full") if r["ok"]])
    }
    if not all((n, "datong") in walls for n in (REFERENCE, 10 * REFERENCE)):
        return []
    times = {
        p: walls[10 * REFERENCE, p] / walls[REFERENCE, p]
        for p in ("bound-rows", "datong")
        if (10 * REFERENCE, p) in walls
    }
    verdict = "PASS" if times["datong"] <= GROWTH else "FAIL"
    bound = f"{times['bound-rows']:.1f} times" if "bound-rows" in times else ""
    return [
        f"| 1,000,000 instead of 100,000 | {bound} | {times['datong']:.1f} times | | | at most {GROWTH:g} | {verdict} |"
    ]


def _raw(rows: Sequence[Row]) -> list[str]:
    """What was measured, medians of a peer and job."""
    lines: list[str] = []
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["part"] == "job":
            groups.setdefault((row["n"], ("full", "delta", "idle").index(row["job"]), row["peer"]), []).append(row)
    if groups:
        lines += [
            "",
            "| n | job | peer | verified | wall s | rec/s | CPU s | database CPU s | peak MB | bytes kept a record ",
        ]
        lines[-1] += "| sink requests | foreign cores |"
        lines.append("|---" * 12 + "|")
    for (n, _, peer), found in sorted(groups.items()):
        mid = {k: median(r[k] for r in found) for k in ("wall", "cpu", "database_cpu", "rss_mb", "foreign")}
        mid |= {k: median(r[k] for r in found) for k in ("sink_requests", "bytes")}
        rate = f"{n / mid['wall']:,.0f}" if found[0]["job"] == "full" else ""
        lines.append(
            f"| {n:,} | {found[0]['job']} | {peer} | {sum(r['ok'] for r in found)}/{len(found)} | {mid['wall']:.2f} | "
            f"{rate} | {mid['cpu']:.2f} | {mid['database_cpu']:.2f} | {mid['rss_mb']:.0f} | {mid['bytes'] / n:,.0f} | "
            f"{mid['sink_requests']:.0f} | {mid['foreign']:.2f} |"
        )
    return lines + _raw_latency(rows) + _raw_durability(rows)


def _raw_latency(rows: Sequence[Row]) -> list[str]:
    groups: dict[tuple[float, str], list[Row]] = {}
    for row in rows:
        if row["part"] == "latency":
            groups.setdefault((row["rate"], row["peer"]), []).append(row)
    if not groups:
        return []
    lines = [
        "",
        "| events/s | peer | verified | arrived / sent | p50 ms | p95 ms | p99 ms | 202 p50 / p99 ms | CPU s | MB |",
    ]
    lines.append("|---" * 10 + "|")
    for (rate, peer), found in sorted(groups.items(), key=str):
        names = ("p50_ms", "p95_ms", "p99_ms", "ack_p50_ms", "ack_p99_ms", "cpu", "rss_mb")
        mid = {k: median(r[k] if r[k] is not None else float("inf") for r in found) for k in names}
        came = f"{sum(r['arrived'] for r in found)} / {sum(r['sent'] for r in found)}"
        lines.append(
            f"| {rate} | {peer} | {sum(r['ok'] for r in found)}/{len(found)} | {came} | {mid['p50_ms']:.1f} | "
            f"{mid['p95_ms']:.1f} | {mid['p99_ms']:.1f} | {mid['ack_p50_ms']:.1f} / {mid['ack_p99_ms']:.1f} | "
            f"{mid['cpu']:.1f} | {mid['rss_mb']:.0f} |"
        )
    return lines


def _raw_durability(rows: Sequence[Row]) -> list[str]:
    found = [r for r in rows if r["part"] == "durability"]
    if not found:
        return []
    lines = [
        "",
        "| peer | n | test | arrived at kill | complete | sent twice | rejected | 503s | complete after next run |",
    ]
    lines.append("|---" * 9 + "|")
    for r in found:
        lines.append(
            f"| {r['peer']} | {r['n']:,} | {r['test']} | {r.get('arrived_at_kill', '')} | {_yes(r['complete'])} | "
            f"{r['sent_twice']} | {r['rejected']} | {r['answered_503']} | {_yes(r['complete_next'])} |"
        )
    return lines


def _yes(value: bool) -> str:
    return "yes" if value else "no"
