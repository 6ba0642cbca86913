"""The journal shows what was done to it. Each kind of tampering is tried on a sealed store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from datong.base import json
from datong.base.clock import ManualClock
from datong.base.errors import StoreError
from datong.store import Store
from datong.store.journal import Entry, Sealer, append, entries, row_digest, value_digest
from datong.store.schema import journal, seals

ROWS = 9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def sealer(store: Store, folder: Path, tmp_path: Path) -> Sealer:
    return Sealer(store, folder, tmp_path / "seals.jsonl")


def write(store: Store, number: int = 3, start: int = 0) -> list[int]:
    told = [
        Entry(
            "taken in",
            record_id=n,
            connection="sales",
            kind="account",
            native_id=str(n),
            why="改名",
            body={"名": f"客户 {n}"},
        )
        for n in range(start, start + number)
    ]
    with store.write() as tx:
        return append(tx, store.clock, "li.na", [*told[:-1], Entry("sync", why="no values")] if number > 1 else told)


@pytest.fixture
def sealed(store: Store, sealer: Sealer) -> Store:
    """Three blocks of three rows; the third row of each has no values."""
    for _ in range(3):
        write(store)
        assert sealer.seal() == 3
    assert sealer.verify() == {"intact": True, "rows": ROWS, "sealed": ROWS, "first_bad": None, "why": ""}
    return store


def run(store: Store, *statements: str) -> None:
    with store.write() as tx:
        for one in statements:
            tx.execute(sa.text(one))


def test_ids_are_in_order_and_rows_read_back(store: Store, clock: ManualClock) -> None:
    assert write(store) == [1, 2, 3]
    clock.advance(5)
    assert write(store, 2, start=10) == [4, 5]
    with store.read() as tx:
        rows = entries(tx)
        assert [r["id"] for r in rows] == [1, 2, 3, 4, 5]
        assert rows[0]["body"] == {"名": "客户 0"} and rows[2]["body"] is None and rows[0]["actor"] == "li.na"
        assert [r["id"] for r in entries(tx, limit=2, newest=True)] == [4, 5]
        assert [r["id"] for r in entries(tx, after=3)] == [4, 5]
        assert [r["id"] for r in entries(tx, since=clock.now())] == [4, 5]
        assert [r["id"] for r in entries(tx, record_id=10)] == [4]
    with store.write() as tx:
        assert append(tx, clock, "datong", []) == []


def test_an_empty_journal_is_intact(sealer: Sealer) -> None:
    assert sealer.seal() == 0
    assert sealer.verify()["intact"]


def test_what_is_not_sealed_yet_is_counted(sealed: Store, sealer: Sealer) -> None:
    write(sealed)
    assert sealer.verify() == {"intact": True, "rows": ROWS + 3, "sealed": ROWS, "first_bad": None, "why": ""}


def test_many_rows_are_sealed_in_blocks(store: Store, sealer: Sealer) -> None:
    with store.write() as tx:
        append(tx, store.clock, "datong", [Entry("seen", why=str(n)) for n in range(4100)])
    assert sealer.seal() == 4100
    with store.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(seals)).scalar() == 3
    assert sealer.verify()["intact"]
    run(store, "UPDATE journal SET why = 'x' WHERE id = 4000")
    assert sealer.verify()["first_bad"] == 4000


TAMPERINGS: list[tuple[str, list[str], int, str]] = [
    ("a row altered", ["UPDATE journal SET why = 'nothing happened' WHERE id = 5"], 5, "the row was altered"),
    ("an actor replaced", ["UPDATE journal SET actor = 'somebody' WHERE id = 3"], 3, "the row was altered"),
    ("a time moved", ["UPDATE journal SET at = '2020-01-01T00:00:00.000000Z' WHERE id = 9"], 9, "the row was altered"),
    ("a cause invented", ["UPDATE journal SET cause = 1 WHERE id = 8"], 8, "the row was altered"),
    (
        "a value altered",
        ["""UPDATE journal SET body = '{"x": 1}' WHERE id = 4"""],
        4,
        "values were altered",
    ),
    (
        "a value and its digest altered",
        [
            """UPDATE journal SET body = '{"x": 1}' WHERE id = 4""",
            "UPDATE journal SET digest = 'x' WHERE id = 4",
        ],
        4,
        "the row was altered",
    ),
    (
        "values added",
        ["""UPDATE journal SET body = '{"x": 1}' WHERE id = 6"""],
        6,
        "values were altered",
    ),
    ("a row deleted", ["DELETE FROM journal WHERE id = 5"], 5, "the row is missing"),
    ("the first row deleted", ["DELETE FROM journal WHERE id = 1"], 1, "the row is missing"),
    ("the last row deleted", ["DELETE FROM journal WHERE id = 9"], 9, "the row is missing"),
    ("a whole block deleted", ["DELETE FROM journal WHERE id BETWEEN 4 AND 6"], 4, "the row is missing"),
    (
        "rows exchanged",
        [
            "UPDATE journal SET id = 100 WHERE id = 4",
            "UPDATE journal SET id = 4 WHERE id = 5",
            "UPDATE journal SET id = 5 WHERE id = 100",
        ],
        4,
        "the row was altered",
    ),
    ("a seal removed", ["DELETE FROM seals WHERE first = 4"], 4, "a seal is missing"),
    ("the first seal removed", ["DELETE FROM seals WHERE first = 1"], 1, "a seal is missing"),
    ("the last seal removed", ["DELETE FROM seals WHERE first = 7"], 7, "gone"),
    ("every seal removed", ["DELETE FROM seals"], 1, "gone"),
    ("the tail cut off", ["DELETE FROM journal WHERE id >= 7", "DELETE FROM seals WHERE first = 7"], 7, "gone"),
    ("all of it cut off", ["DELETE FROM journal", "DELETE FROM seals"], 1, "gone"),
    ("a leaf exchanged", ["UPDATE seals SET leaves = 'g' || substr(leaves, 2) WHERE first = 4"], 4, "altered"),
    ("a leaf added", ["UPDATE seals SET leaves = leaves || '0123456789abcdef' WHERE first = 4"], 4, "does not fit"),
    ("a signature exchanged", ["UPDATE seals SET signature = 'ff' WHERE first = 4"], 4, "does not fit"),
    ("a signature that is none", ["UPDATE seals SET signature = 'zz' WHERE first = 4"], 4, "does not fit"),
    ("a hash exchanged", ["UPDATE seals SET hash = 'ff' WHERE first = 4"], 4, "does not fit"),
]


@pytest.mark.parametrize(("statements", "bad", "why"), [t[1:] for t in TAMPERINGS], ids=[t[0] for t in TAMPERINGS])
def test_tampering_shows_and_names_the_first_bad_row(
    sealed: Store, sealer: Sealer, statements: list[str], bad: int, why: str
) -> None:
    run(sealed, *statements)
    told = sealer.verify()
    assert (told["intact"], told["first_bad"]) == (False, bad)
    assert why in told["why"]


def test_the_first_of_several_is_named(sealed: Store, sealer: Sealer) -> None:
    run(sealed, "DELETE FROM journal WHERE id = 8", "UPDATE journal SET why = 'x' WHERE id = 2")
    assert sealer.verify()["first_bad"] == 2


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE journal SET why = '伪造' WHERE id = 8",
        "DELETE FROM journal WHERE id = 9",
        "DELETE FROM journal WHERE id >= 7",
    ],
)
def test_sealing_again_with_the_right_key_does_not_hide_it(sealed: Store, sealer: Sealer, forged: str) -> None:
    """Who rules the store and the key can seal a lie; the seals outside tell."""
    run(sealed, forged, "DELETE FROM seals WHERE first = 7")
    with sealed.write() as tx:
        for row in list(tx.execute(sa.select(journal)).mappings()):
            tx.execute(journal.update().where(journal.c.id == row["id"]).values(leaf=row_digest(row)))
    sealer.seal()
    told = sealer.verify()
    assert (told["intact"], told["first_bad"]) == (False, 7)


def test_a_tail_replaced_by_as_many_rows_shows(sealed: Store, sealer: Sealer) -> None:
    """The new block ends where the old one did: both seals outside name the same last row."""
    run(
        sealed,
        "DELETE FROM journal WHERE id >= 7",
        "DELETE FROM seals WHERE first = 7",
    )
    assert write(sealed, start=70) == [7, 8, 9]
    sealer.seal()
    told = sealer.verify()
    assert (told["intact"], told["first_bad"]) == (False, 7)


def foreign(folder: Path) -> Path:
    """A folder with a key that is not ours."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    folder.mkdir()
    (folder / "journal.key").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return folder


def test_a_lost_key_is_not_replaced_without_a_word(sealed: Store, sealer: Sealer, folder: Path) -> None:
    (folder / "journal.key").unlink()
    write(sealed)
    for act in (sealer.verify, sealer.seal):
        with pytest.raises(StoreError, match="is gone"):
            act()
    assert not (folder / "journal.key").exists()


def test_a_replaced_key_shows(sealed: Store, tmp_path: Path) -> None:
    other = Sealer(sealed, foreign(tmp_path / "other"), tmp_path / "seals.jsonl")
    write(sealed)
    other.seal()
    assert other.verify()["first_bad"] == 1


def test_a_seal_of_another_key_in_the_middle_shows(sealed: Store, sealer: Sealer, tmp_path: Path) -> None:
    write(sealed)
    Sealer(sealed, foreign(tmp_path / "other"), tmp_path / "seals.jsonl").seal()
    assert sealer.verify()["first_bad"] == ROWS + 1


def test_a_seal_that_a_crash_kept_from_the_file_outside_is_written_there_later(
    sealed: Store, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(sealed)
    monkeypatch.setattr(Sealer, "_write_outside", lambda self, block: None)
    sealer.seal()
    monkeypatch.undo()
    write(sealed)
    sealer.seal()
    lines = sealer._seals_file.read_text(encoding="utf8").splitlines()
    with sealed.read() as tx:
        assert len(lines) == tx.execute(sa.select(sa.func.count()).select_from(seals)).scalar()
    assert sealer.verify()["intact"]


def test_values_may_be_erased_by_law(sealed: Store, sealer: Sealer) -> None:
    with sealed.write() as tx:
        tx.execute(journal.update().where(journal.c.id.in_([1, 4, 5])).values(body=None))
    assert sealer.verify()["intact"]
    with sealed.read() as tx:
        rows = {r["id"]: r for r in entries(tx)}
    assert rows[4]["body"] is None and len(rows[4]["digest"]) == 64 and rows[7]["body"] == {"名": "客户 0"}
    run(sealed, "UPDATE journal SET why = 'x' WHERE id = 5")
    assert sealer.verify()["first_bad"] == 5, "an erased row is still watched"


def test_an_erased_value_cannot_be_guessed(sealed: Store) -> None:
    """Equal values have different digests, for each row has its salt."""
    with sealed.read() as tx:
        digests = list(tx.execute(sa.select(journal.c.digest).where(journal.c.digest.is_not(None))).scalars())
    assert len(digests) == 6 and len(set(digests)) == 6


def test_a_damaged_file_of_seals_is_said(sealed: Store, sealer: Sealer, tmp_path: Path) -> None:
    with (tmp_path / "seals.jsonl").open("a") as file:
        file.write('{"first": ')
    with pytest.raises(StoreError, match="damaged") as raised:
        sealer.verify()
    assert "backup" in raised.value.remedy


def test_the_file_of_seals_goes_with_the_store(sealed: Store, sealer: Sealer, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (tmp_path / "seals.jsonl").read_text().splitlines()]
    assert [(line["first"], line["last"]) for line in lines] == [(1, 3), (4, 6), (7, 9)]
    with sealed.read() as tx:
        assert [line["hash"] for line in lines] == list(
            tx.execute(sa.select(seals.c.hash).order_by(seals.c.id)).scalars()
        )


def test_the_key_is_for_its_owner_only(sealed: Store, folder: Path) -> None:
    assert (folder / "journal.key").stat().st_mode & 0o777 == 0o600
    assert (folder / "journal.key").read_bytes() not in b"".join(str(row).encode() for row in _everything(sealed)), (
        "and it is not in the database"
    )


def _everything(store: Store) -> list[Any]:
    with store.read() as tx:
        return list(tx.execute(sa.text("SELECT name, value FROM meta")))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e40", max_value="1e40")
    | st.datetimes()
    | st.sampled_from(["深圳市", Decimal("1E+3"), Decimal("1.00")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), values, min_size=1, max_size=4))
def test_a_digest_fits_what_is_read_back(body: dict[str, Any]) -> None:
    """Whatever a body holds, it is not taken for altered after a journey through the store."""
    assert value_digest("s", json.loads(json.dumps(body))) == value_digest("s", body)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 12), st.data())
def test_any_single_change_to_a_sealed_row_shows(number: int, data: st.DataObject) -> None:
    store = Store("sqlite://", ManualClock())
    with tempfile.TemporaryDirectory() as folder:
        sealer = Sealer(store, Path(folder), Path(folder) / "seals.jsonl")
        write(store, number)
        sealer.seal()
        row = data.draw(st.integers(1, number))
        column = data.draw(st.sampled_from([c.name for c in journal.c if c.name != "id"]))
        with store.write() as tx:
            held = tx.execute(sa.select(journal.c[column]).where(journal.c.id == row)).scalar()
            new: dict[str, Callable[[], Any]] = {"at": lambda: sa.text("'2020-01-01T00:00:00.000000Z'")}
            if column in ("record_id", "cause"):
                new[column] = lambda: (held or 0) + 1
            tx.execute(
                journal.update().where(journal.c.id == row).values({column: new.get(column, lambda: f"{held}x")()})
            )
        assert sealer.verify()["first_bad"] == row
    store.close()
