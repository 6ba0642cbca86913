"""Cases about what goes wrong on the way: each failure is named by what the engine must do next."""

from __future__ import annotations

import pytest

from datong.base.errors import AccessDenied, BadAnswer, OutcomeUnknown, RateLimited, RemoteError, TryLater
from datong.testing import acts
from datong.testing.bench import Bench, Fault


class FailingCases:
    def test_a_rate_limit_pauses_the_connection(self, bench: Bench) -> None:
        """A 429 is RateLimited with the time asked for, and nobody calls before it has passed."""
        clock = bench.connector.context.clock
        bench.play(Fault.RATE_LIMIT, on="read", seconds=2)
        with pytest.raises(RateLimited) as caught:
            acts.read_all(bench)
        assert caught.value.after == 2
        before = clock.monotonic()
        acts.read_all(bench)
        assert clock.monotonic() - before >= 1.9, "the next call did not wait"

    def test_a_rate_limited_write_was_not_done(self, bench: Bench) -> None:
        """A write that met a 429 is RateLimited, never unknown: nothing was done."""
        acts.must_create(bench)
        before = set(bench.rows())
        bench.play(Fault.RATE_LIMIT, on="write", seconds=2)
        with pytest.raises(RateLimited):
            self._create(bench)
        assert set(bench.rows()) == before

    def test_a_system_that_is_down_is_tried_later(self, bench: Bench) -> None:
        """Where the vendor says that it did nothing for now, reads and writes are tried later."""
        bench.play(Fault.UNAVAILABLE, on="read")
        self._read_fails(bench, TryLater)
        acts.must_create(bench)
        before = set(bench.rows())
        bench.play(Fault.UNAVAILABLE, on="write")
        with pytest.raises((TryLater, OutcomeUnknown)):
            self._create(bench)
        assert set(bench.rows()) == before

    def test_a_dropped_read_is_tried_later(self, bench: Bench) -> None:
        """A read whose connection is cut is tried later."""
        bench.play(Fault.DROPPED, on="read")
        self._read_fails(bench, TryLater)

    def test_a_dropped_write_is_unknown(self, bench: Bench) -> None:
        """A write whose connection is cut is unknown: it is there, and trying later would repeat it."""
        acts.must_update(bench)
        field = bench.text_field
        id = acts.made(bench, {field: "old"})
        bench.play(Fault.DROPPED, on="write")
        with pytest.raises(OutcomeUnknown):
            list(bench.connector.write(bench.spec, [acts.update(bench, id, {field: "new"})]))
        assert acts.held(bench, id, field) == "new", "the bench did not play DROPPED"

    def test_a_page_for_people_is_no_answer_to_a_read(self, bench: Bench) -> None:
        """A log-in page with status 200 is BadAnswer, not an empty list: everything would look deleted."""
        acts.made(bench)
        bench.play(Fault.HTML, on="read")
        self._read_fails(bench, BadAnswer)

    def test_a_page_for_people_leaves_a_write_unknown(self, bench: Bench) -> None:
        """A log-in page with status 200 in answer to a write leaves it unknown."""
        self._write_unknown(bench, Fault.HTML)

    def test_half_a_json_is_no_answer_to_a_read(self, bench: Bench) -> None:
        """Half an answer is BadAnswer, not the half that came."""
        acts.made(bench)
        bench.play(Fault.TRUNCATED, on="read")
        self._read_fails(bench, BadAnswer)

    def test_half_a_json_leaves_a_write_unknown(self, bench: Bench) -> None:
        """Half an answer to a write leaves it unknown: it may be done."""
        self._write_unknown(bench, Fault.TRUNCATED)

    def test_wrong_credentials_are_access_denied(self, bench: Bench) -> None:
        """Invalid credentials are AccessDenied in every call: the connection rests until a person mends it."""
        stranger = bench.with_wrong_credentials()
        with pytest.raises(AccessDenied):
            stranger.check()
        with pytest.raises(AccessDenied):
            list(stranger.read(bench.spec, None))
        with pytest.raises(AccessDenied):
            list(stranger.ids(bench.spec))
        if bench.spec.create != "never":
            with pytest.raises(AccessDenied):
                list(stranger.write(bench.spec, [acts.create(bench)]))

    def test_two_accounts_are_kept_apart(self, bench: Bench) -> None:
        """Two connections used in turn each keep their own credentials and see their own records."""
        one, two = bench.connector, bench.second_account()
        ours, theirs = one.check().identity, two.check().identity
        assert ours != theirs, f"both connections say that they are {ours}"
        for _ in range(2):
            id = acts.made(bench, {bench.text_field: "ours"})
            assert (one.check().identity, two.check().identity) == (ours, theirs)
            seen = {record.id: record for page in two.read(bench.spec, None) for record in page.records}
            assert id not in seen or acts.reading(bench, seen[id]).values[bench.text_field] != "ours"
            assert acts.reading(bench, acts.record(bench, id)).values[bench.text_field] == "ours"

    def _read_fails(self, bench: Bench, how: type[RemoteError]) -> None:
        """The read fails so, and the next one is whole again."""
        with pytest.raises(how):
            acts.read_all(bench)
        bench.calm()
        assert acts.ids(acts.read_all(bench)) == set(bench.rows())

    def _write_unknown(self, bench: Bench, fault: Fault) -> None:
        acts.must_create(bench)
        bench.play(fault, on="write")
        with pytest.raises(OutcomeUnknown):
            self._create(bench)

    def _create(self, bench: Bench) -> None:
        list(bench.connector.write(bench.spec, [acts.create(bench)]))
