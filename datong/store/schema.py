"""The tables. Documents are JSON text by kind, so that a new kind of record is no migration."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from datong.base import json
from datong.base.clock import from_text, to_text


class Json(TypeDecorator[Any]):
    """A JSON value as text; the one encoder of `base.json`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else json.loads(value)


class Moment(TypeDecorator[datetime]):
    """An aware time as text that sorts by time."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else to_text(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else from_text(value)


class Words(TypeDecorator[str]):
    """Text from anywhere: without the NUL that PostgreSQL cannot hold."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else clean(str(value))


class Label(TypeDecorator[str]):
    """A text that is looked up: beyond `length` it is cut, with a digest of the whole, so that it stays its own."""

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.most = length

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else cut(str(value), self.most)


def clean(text: str) -> str:
    """Without the NUL that PostgreSQL cannot hold."""
    return text.replace("\x00", "") if "\x00" in text else text


def cut(text: str, length: int) -> str:
    """A text as a `Label` of this length keeps it."""
    text = clean(text)
    return text if len(text) <= length else f"{text[: length - 17]}~{json.digest(text)}"


metadata = sa.MetaData()
_Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


_PARTIAL: list[tuple[sa.Index, str]] = []


def _partial(index: sa.Index, where: str) -> None:
    """An index over some rows only."""
    _PARTIAL.append((index, where))


def create(bind: sa.Connection) -> None:
    """All tables, as the dialect of `bind` has them. What only one dialect knows is told here, for SQLAlchemy loads a
    dialect as soon as it is named."""
    for index, where in _PARTIAL:
        index.dialect_kwargs[f"{bind.dialect.name}_where"] = sa.text(where)
    metadata.create_all(bind)


def _id() -> sa.Column[int]:
    return sa.Column("id", _Key, primary_key=True, autoincrement=True)


meta = sa.Table(
    "meta", metadata, sa.Column("name", sa.String(60), primary_key=True), sa.Column("value", sa.Text, nullable=False)
)

records = sa.Table(
    "records",
    metadata,
    _id(),
    sa.Column("kind", sa.String(40), nullable=False),
    # active | merged | gone
    sa.Column("state", sa.String(12), nullable=False, default="active"),
    # what a person asked: "" | paused (nothing happens) | locked (nothing is written)
    sa.Column("hold", sa.String(12), nullable=False, default=""),
    sa.Column("merged_into", _Key),
    # field -> canonical value
    sa.Column("agreed", Json, nullable=False),
    # field ("*": every other) -> [connection, time] that the agreed value came from
    sa.Column("origin", Json, nullable=False),
    # field -> times at which its value came from another side than before
    sa.Column("turns", Json),
    # connection -> [verdict, why, remedy, digest of what it looked at, until]
    sa.Column("verdicts", Json),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("records_kind", "kind", "id"),
)

LASTING_UNTIL = """verdicts LIKE '%Z"]%'"""
"""Some verdict of the record holds until a moment only."""
_partial(sa.Index("records_until", records.c.id), LASTING_UNTIL)

links = sa.Table(
    "links",
    metadata,
    _id(),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("native_id", Label(200), nullable=False),
    # a follower (False) receives the fields that its flow names and takes no part in the merge
    sa.Column("main", sa.Boolean, nullable=False, default=True),
    # live | inactive | missing (once) | gone | out_of_scope | no_access | merged
    sa.Column("state", sa.String(12), nullable=False, default="live"),
    # how what is known to stand there differs from the agreed values: [field -> value, fields lacking]; null: nowhere
    sa.Column("sent", Json),
    # wire path -> what was held when last read
    sa.Column("seen", Json, nullable=False),
    sa.Column("seen_digest", sa.String(16)),
    # collection -> native item id -> item key
    sa.Column("items", Json),
    # field -> why it is not written there for now
    sa.Column("held", Json),
    sa.Column("map_version", sa.String(16), nullable=False, default=""),
    sa.Column("version", sa.String(120)),
    sa.Column("changed_at", Moment),
    sa.Column("read_at", Moment),
    sa.Column("written_at", Moment),
    sa.Column("missing_at", Moment),
    # its matching keys are those of what is known to stand there; else they are made when a match is looked for
    sa.Column("keyed", sa.Boolean, nullable=False, default=False),
    sa.UniqueConstraint("connection", "kind", "native_id", name="links_native"),
    sa.Index("links_record", "record_id"),
)

_partial(sa.Index("links_unkeyed", links.c.connection, links.c.kind), "NOT keyed")
_partial(sa.Index("links_held", links.c.connection), "held IS NOT NULL")
_partial(sa.Index("links_missing", links.c.connection, links.c.kind), "state = 'missing'")

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("link_id", _Key, nullable=False),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("rule", sa.String(60), nullable=False),
    sa.Column("value", Label(200), nullable=False),
    sa.Column("strong", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("link_id", "rule", "value"),
    sa.Index("keys_value", "kind", "rule", "value"),
    sa.Index("keys_record", "record_id"),
    sqlite_with_rowid=False,
)

cursors = sa.Table(
    "cursors",
    metadata,
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("cursor", sa.Text),
    sa.Column("read_at", Moment),
    # when its records were read completely: nothing is created before
    sa.Column("baseline_at", Moment),
    sa.Column("sweep_at", Moment),
    # the map that the last plan was made with; another one needs a plan of its own
    sa.Column("map_version", sa.String(16)),
    sa.PrimaryKeyConstraint("connection", "kind"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    _id(),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("native_id", Label(200), nullable=False),
    sa.Column("wire", Json),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("times", sa.Integer, nullable=False, default=1),
    sa.UniqueConstraint("connection", "kind", "native_id", name="inbox_native"),
    sqlite_autoincrement=True,
)

reads = sa.Table(
    "reads",
    metadata,
    _id(),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("read_at", Moment, nullable=False),
    sa.Column("whole", sa.Boolean, nullable=False, default=False),
    sa.Column("cursor", sa.Text),
    sa.Index("reads_run", "run"),
    sqlite_autoincrement=True,
)

spool = sa.Table(
    "spool",
    metadata,
    sa.Column("read_id", _Key, nullable=False),
    sa.Column("number", _Key, nullable=False),
    sa.Column("native_id", Label(200), nullable=False),
    # null: asked for by id and not given; then `absence` says why
    sa.Column("wire", Json),
    sa.Column("digest", sa.String(16)),
    sa.Column("version", sa.String(120)),
    sa.Column("changed_at", Moment),
    sa.Column("active", sa.Boolean, nullable=False, default=True),
    sa.Column("absence", sa.String(12)),
    sa.Column("into", Label(200)),
    sa.PrimaryKeyConstraint("read_id", "number"),
    sqlite_with_rowid=False,
)

due = sa.Table(
    "due",
    metadata,
    _id(),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    # deliver | delete
    sa.Column("task", sa.String(12), nullable=False, default="deliver"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("error", Words),
    sa.Column("owner", sa.String(80)),
    sa.Column("fence", _Key, nullable=False, default=0),
    sa.Column("until", Moment),
    sa.UniqueConstraint("record_id", "connection", name="due_once"),
    sa.Index("due_at", "at", "id"),
    sqlite_autoincrement=True,
)

waits = sa.Table(
    "waits",
    metadata,
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("on_record", _Key, nullable=False),
    sa.PrimaryKeyConstraint("record_id", "connection", "on_record"),
    sa.Index("waits_on", "on_record", "connection"),
)

# which record points at which: for those of documents, which are found from what they point at. `field` is the
# catalogue's name; "@" says that a rule looked at the other record
ties = sa.Table(
    "ties",
    metadata,
    sa.Column("from_id", _Key, nullable=False),
    sa.Column("field", sa.String(60), nullable=False),
    sa.Column("to_id", _Key, nullable=False),
    sa.PrimaryKeyConstraint("from_id", "field", "to_id"),
    sa.Index("ties_to", "to_id", "field"),
    sqlite_with_rowid=False,
)

# documents of closed periods of which month end has nothing to say, until they change: then they are taken out here.
# `scope`: the company that was looked at ("": all); `until`: the last day on which something came of it
at_rest = sa.Table(
    "at_rest",
    metadata,
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("scope", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("until", sa.String(10), nullable=False),
    sa.PrimaryKeyConstraint("record_id", "scope"),
    sqlite_with_rowid=False,
)

# which documents they bear on: the orders that a shipment belongs to, the invoices that a receipt settles
at_rest_on = sa.Table(
    "at_rest_on",
    metadata,
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("scope", sa.String(60), nullable=False),
    sa.Column("to_id", _Key, nullable=False),
    sa.PrimaryKeyConstraint("record_id", "scope", "to_id"),
    sa.Index("at_rest_on_to", "to_id", "scope"),
    sqlite_with_rowid=False,
)

# documents made of others: one for each accepted version and company
origins = sa.Table(
    "origins",
    metadata,
    _id(),
    sa.Column("flow", sa.String(60), nullable=False),
    sa.Column("source_id", _Key, nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("company", sa.String(60), nullable=False),
    sa.Column("target_id", _Key, nullable=False),
    # what was built: what a later version changes is told from it
    sa.Column("built", Json, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("flow", "source_id", "version", "company", name="origins_once"),
    sa.Index("origins_target", "target_id"),
)

# what people said to the approvals that a rule asked for; `digest` is of the reason as it was shown to them
approvals = sa.Table(
    "approvals",
    metadata,
    _id(),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("flow", sa.String(60), nullable=False),
    sa.Column("rule", sa.String(60), nullable=False),
    sa.Column("digest", sa.String(16), nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("note", Words, nullable=False, default=""),
    sa.UniqueConstraint("record_id", "rule", "digest", name="approvals_once"),
)

intents = sa.Table(
    "intents",
    metadata,
    _id(),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("action", sa.String(12), nullable=False),
    sa.Column("own_key", sa.String(60)),
    sa.Column("at", Moment, nullable=False),
    # open | unknown
    sa.Column("state", sa.String(12), nullable=False, default="open"),
    sa.Column("journal_id", _Key),
    sa.UniqueConstraint("record_id", "connection", name="intents_once"),
)

work = sa.Table(
    "work",
    metadata,
    _id(),
    # parked | review | conflict
    sa.Column("type", sa.String(12), nullable=False),
    # open | resolved | dismissed
    sa.Column("state", sa.String(12), nullable=False, default="open"),
    sa.Column("cause", Label(40), nullable=False),
    # one open item a key
    sa.Column("subject", Label(300), nullable=False),
    sa.Column("kind", sa.String(40)),
    sa.Column("record_id", _Key),
    sa.Column("other_id", _Key),
    sa.Column("connection", sa.String(60)),
    sa.Column("native_id", Label(200)),
    sa.Column("field", sa.String(120)),
    sa.Column("flow", sa.String(60)),
    sa.Column("reason", Words, nullable=False),
    sa.Column("remedy", Words, nullable=False),
    sa.Column("detail", Json),
    sa.Column("digest", sa.String(16)),
    sa.Column("times", sa.Integer, nullable=False, default=1),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("closed_by", sa.String(120)),
    sa.Index("work_open", "state", "type", "id"),
    sa.Index("work_record", "record_id"),
    sa.Index("work_subject", "subject", "state"),
    sqlite_autoincrement=True,
)
_partial(sa.Index("work_once", work.c.subject, unique=True), "state = 'open'")

decisions = sa.Table(
    "decisions",
    metadata,
    _id(),
    # separate | dismiss
    sa.Column("type", sa.String(12), nullable=False),
    sa.Column("subject", Label(300), nullable=False, unique=True),
    sa.Column("digest", sa.String(32)),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

plans = sa.Table(
    "plans",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("author", sa.String(120), nullable=False),
    sa.Column("flows", Json, nullable=False),
    sa.Column("config_version", sa.String(32), nullable=False),
    # sync | undo | configuration (of another one than the live one)
    sa.Column("what", sa.String(16), nullable=False, default="sync"),
    # of an undo: what is undone; of a configuration: what differs from the live one
    sa.Column("about", Words, nullable=False, default=""),
    # open | applied | rejected | expired
    sa.Column("state", sa.String(12), nullable=False, default="open"),
    sa.Column("totals", Json, nullable=False),
    sa.Column("stopped", Words),
    # over everything that it would do: an answer to it stands for this content
    sa.Column("digest", sa.String(32), nullable=False, default=""),
    # who must agree before it is applied, and why: [[role or person, why]]; null: nobody
    sa.Column("asks", Json),
    sa.Column("after_journal", _Key, nullable=False, default=0),
)

# what people said to a plan, of which `digest` is the content
plan_answers = sa.Table(
    "plan_answers",
    metadata,
    _id(),
    sa.Column("plan_id", sa.String(40), nullable=False),
    sa.Column("digest", sa.String(32), nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    # what they spoke for: a role, or their name
    sa.Column("asked", sa.String(120), nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("note", Words, nullable=False, default=""),
    sa.Index("plan_answers_plan", "plan_id"),
)

# what an undo decides, a row for each field of a record or for each record that was made
undo_steps = sa.Table(
    "undo_steps",
    metadata,
    sa.Column("plan_id", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("record_id", _Key, nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("name", Words, nullable=False),
    # agree | keep | known | rest | release | none
    sa.Column("act", sa.String(12), nullable=False),
    # "" for our own value, else the side
    sa.Column("connection", sa.String(60), nullable=False, default=""),
    sa.Column("field", sa.String(120), nullable=False, default=""),
    sa.Column("before", Json),
    sa.Column("after", Json),
    # reversible | by counter-document | not
    sa.Column("way", sa.String(20), nullable=False),
    sa.Column("why", Words, nullable=False, default=""),
    sa.PrimaryKeyConstraint("plan_id", "number"),
)

# fields that a person froze: neither taken in nor delivered until they are released
holds = sa.Table(
    "holds",
    metadata,
    _id(),
    sa.Column("kind", sa.String(40), nullable=False),
    # null: every record of the kind
    sa.Column("record_id", _Key),
    # "" for every side
    sa.Column("connection", sa.String(60), nullable=False, default=""),
    # a name or pattern of the catalogue; "*": every field
    sa.Column("field", sa.String(120), nullable=False),
    # `value` is to stand there meanwhile, whatever is agreed
    sa.Column("keeps", sa.Boolean, nullable=False, default=False),
    sa.Column("value", Json),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("why", Words, nullable=False, default=""),
    sa.Index("holds_record", "record_id"),
    sqlite_autoincrement=True,
)

# one cycle, plan, apply or act of a person; the rows of the journal bear its number
runs = sa.Table(
    "runs",
    metadata,
    _id(),
    sa.Column("name", sa.String(40), nullable=False, unique=True),
    # sync | plan | apply | retry | act
    sa.Column("what", sa.String(12), nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("flows", Json, nullable=False),
    sa.Column("plan_id", sa.String(40)),
    sa.Column("at", Moment, nullable=False),
    # null: it did not come to its end
    sa.Column("until", Moment),
    sa.Column("totals", Json),
    # its rows of the journal lie between these
    sa.Column("after_journal", _Key, nullable=False, default=0),
    sa.Column("last_journal", _Key),
    sa.Index("runs_plan", "plan_id"),
    sqlite_autoincrement=True,
)

# versions of the configuration that were live, the last of them now; secrets are in none
configurations = sa.Table(
    "configurations",
    metadata,
    _id(),
    sa.Column("version", sa.String(32), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    # what is configured, secrets masked
    sa.Column("told", Json, nullable=False),
    # file relative to the folder -> its text
    sa.Column("files", Json, nullable=False),
    # who must agree to another one: [role or person]; null: nobody
    sa.Column("asks", Json),
    sa.Column("why", Words, nullable=False, default=""),
    sqlite_autoincrement=True,
)

plan_changes = sa.Table(
    "plan_changes",
    metadata,
    sa.Column("plan_id", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("flow", sa.String(60), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("connection", sa.String(60), nullable=False),
    sa.Column("action", sa.String(12), nullable=False),
    sa.Column("record_id", _Key),
    # where the record came from: known also when it has no record of ours yet
    sa.Column("source", Label(260), nullable=False),
    sa.Column("name", Words, nullable=False),
    sa.Column("native_id", Label(200)),
    sa.Column("reason", Words, nullable=False),
    sa.Column("reversible", sa.String(40), nullable=False),
    sa.Column("fields", Json, nullable=False),
    sa.Column("digest", sa.String(16), nullable=False),
    sa.PrimaryKeyConstraint("plan_id", "number"),
    sa.Index("plan_changes_source", "plan_id", "connection", "source"),
)

# reports of the comparisons of both sides, signed
reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment, nullable=False),
    sa.Column("author", sa.String(120), nullable=False),
    sa.Column("flows", Json, nullable=False),
    # what the list shows: agreement, differences by class, the plan
    sa.Column("totals", Json, nullable=False),
    # the document as it was signed
    sa.Column("report", sa.Text, nullable=False),
    sa.Index("reports_at", "started_at"),
)

journal = sa.Table(
    "journal",
    metadata,
    _id(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.String(120), nullable=False),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("record_id", _Key),
    sa.Column("connection", sa.String(60)),
    sa.Column("kind", sa.String(40)),
    sa.Column("native_id", Label(200)),
    sa.Column("flow", sa.String(60)),
    sa.Column("cause", _Key),
    # the number of its run
    sa.Column("run", _Key),
    sa.Column("why", Words, nullable=False, default=""),
    # the values, which may be erased, and their digest, which may not
    sa.Column("body", Json),
    sa.Column("salt", sa.String(32)),
    sa.Column("digest", sa.String(64)),
    # the row's own digest, made with it: what a seal is made of
    sa.Column("leaf", sa.String(16), nullable=False),
    sa.Index("journal_record", "record_id", "id"),
)

_partial(sa.Index("journal_done", journal.c.at), "event IN ('updated', 'deleted', 'mass accepted')")

seals = sa.Table(
    "seals",
    metadata,
    _id(),
    sa.Column("first", _Key, nullable=False),
    sa.Column("last", _Key, nullable=False),
    sa.Column("at", Moment, nullable=False),
    # the rows' own digests, 16 hex digits each, in order
    sa.Column("leaves", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("signature", sa.String(200), nullable=False),
    sqlite_autoincrement=True,
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.String(60), primary_key=True),
    sa.Column("owner", sa.String(120), nullable=False),
    sa.Column("fence", _Key, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

health = sa.Table(
    "health",
    metadata,
    sa.Column("connection", sa.String(60), nullable=False),
    # "" for the connection, else a flow of it
    sa.Column("flow", sa.String(60), nullable=False, default=""),
    # well | suspended
    sa.Column("state", sa.String(12), nullable=False, default="well"),
    sa.Column("cause", Words),
    sa.Column("remedy", Words),
    sa.Column("since", Moment),
    sa.Column("probe_at", Moment),
    sa.Column("probes", sa.Integer, nullable=False, default=0),
    sa.Column("identity", sa.String(200)),
    sa.Column("clock_offset", sa.Float),
    sa.PrimaryKeyConstraint("connection", "flow"),
)

schedule = sa.Table(
    "schedule",
    metadata,
    sa.Column("flow", sa.String(60), primary_key=True),
    sa.Column("last_at", Moment),
    sa.Column("next_at", Moment),
)

# who may come in over the network: what people know (hashed), and what was given to them for a while (digests only)
passwords = sa.Table(
    "passwords",
    metadata,
    sa.Column("person", sa.String(120), primary_key=True),
    sa.Column("hash", sa.String(300), nullable=False),
    sa.Column("set_at", Moment, nullable=False),
    # wrong ones since the last right one
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("locked_until", Moment),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("person", sa.String(120), nullable=False),
    # entry (good for one log-in) | session
    sa.Column("type", sa.String(12), nullable=False),
    sa.Column("begun_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    _id(),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("person", sa.String(120), nullable=False),
    sa.Column("name", sa.String(120), nullable=False),
    # the most that it may do
    sa.Column("role", sa.String(12), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("revoked_at", Moment),
    sqlite_autoincrement=True,
)
