"""What the mass guard knows of the last hour, read on from row to row of the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datong.base.clock import ManualClock
from datong.engine.jobs import ACCEPTED, FIRST_LINK
from datong.engine.lately import Lately
from datong.store import Store
from datong.store.journal import Entry, append

PLACE = ("updated", "erp", "account")


class Book:
    """A journal to write into, and two that read it: one from the beginning on, one anew each time."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store, self.clock = store, clock
        self.steady = Lately(store)

    def note(self, event: str, *records: int | None, why: str = "", after: float = 60) -> None:
        self.clock.advance(after)
        with self.store.write() as tx:
            append(tx, self.clock, "test", [Entry(event, r, "erp", "account", why=why) for r in records])

    def counts(self) -> dict[tuple[str, str, str], int]:
        told = self.steady.counts(self.clock.now())
        assert told == Lately(self.store).counts(self.clock.now()), "a process that has just begun knows the same"
        return told


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    clock = ManualClock()
    store = Store(f"sqlite:///{tmp_path}/lately.db", clock)
    yield Book(store, clock)
    store.close()


def test_a_record_counts_once_and_for_an_hour_after_its_last_change(book: Book) -> None:
    assert book.counts() == {}
    book.note("updated", 1, 2, 2)
    assert book.counts() == {PLACE: 2}
    book.note("updated", 1, after=1800)
    book.note("deleted", 3)
    assert book.counts() == {PLACE: 2, ("deleted", "erp", "account"): 1}
    book.clock.advance(1800)
    assert book.counts() == {PLACE: 1, ("deleted", "erp", "account"): 1}
    book.clock.advance(1800)
    assert book.counts() == {}


def test_what_is_new_or_was_let_pass_does_not_count(book: Book) -> None:
    book.note("created", 1)
    book.note("updated", 1, 2)
    book.note("updated", 3, why=FIRST_LINK)
    book.note("taken in", 4)
    assert book.counts() == {PLACE: 1}
    book.note(ACCEPTED, None)
    book.note("updated", 5, why=ACCEPTED)
    assert book.counts() == {}
    book.note("updated", 6)
    assert book.counts() == {PLACE: 1}


def test_what_is_not_committed_is_not_known(book: Book) -> None:
    book.note("updated", 1)
    with book.store.trial() as tx:
        append(tx, book.clock, "test", [Entry("updated", 2, "erp", "account")] * 3)
        assert book.counts() == {PLACE: 1}
    book.note("updated", 3)
    assert book.counts() == {PLACE: 2}
