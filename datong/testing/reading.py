"""Cases about reading: nothing is missed, nothing is taken for deleted, a search finds what it was asked for."""

from __future__ import annotations

from datong.base.errors import RemoteError
from datong.kit import Missing, WireRecord
from datong.testing import acts
from datong.testing.bench import Bench, Fault


class ReadingCases:
    def test_a_whole_read_gives_every_record(self, bench: Bench) -> None:
        """A whole read gives every record, and only its final page says that it is the last."""
        for _ in range(2 * bench.page_size + 1):
            acts.made(bench)
        pages = acts.read_all(bench)
        assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
        assert acts.ids(pages) == set(bench.rows())

    def test_a_read_resumes_after_any_page(self, bench: Bench) -> None:
        """A read that is killed after any page resumes from its cursor and misses nothing."""
        acts.must_read_changes(bench)
        acts.made(bench)
        start = acts.cursor(acts.read_all(bench))
        expected = set()
        for _ in range(3 * bench.page_size + 1):
            bench.advance(acts.behind(bench))
            expected.add(acts.made(bench))
        for kept in range(1, len(acts.read_all(bench, start))):
            reader = bench.connector.read(bench.spec, start)
            pages = [next(reader) for _ in range(kept)]
            del reader  # killed here
            resumed = acts.read_all(bench, acts.cursor(pages) or start)
            missed = expected - acts.ids(pages) - acts.ids(resumed)
            assert not missed, f"killed after page {kept} and resumed from {acts.cursor(pages)!r}: missed {missed}"

    def test_equal_change_times_cross_a_page_edge(self, bench: Bench) -> None:
        """Records changed at one moment are all read, also when a page ends among them."""
        acts.must_read_changes(bench)
        acts.made(bench)
        start = acts.cursor(acts.read_all(bench))
        bench.advance(acts.behind(bench))
        tied = {acts.made(bench) for _ in range(2 * bench.page_size + 1)}
        pages = acts.read_all(bench, start)
        moments = {one.changed_at for one in acts.records(pages) if one.id in tied}
        if bench.spec.change_time and len(moments) > 1:
            bench.cannot("make records with equal change times")
        assert tied <= acts.ids(pages)
        for kept in range(1, len(pages)):
            resumed = acts.read_all(bench, acts.cursor(pages[:kept]) or start)
            assert tied <= acts.ids(pages[:kept]) | acts.ids(resumed), f"lost when resumed after page {kept}"
        after = acts.made(bench)  # still at the same moment
        assert after in acts.ids(acts.read_all(bench, acts.cursor(pages))), "lost: changed when the last record was"

    def test_a_row_committed_late_is_found(self, bench: Bench) -> None:
        """A record that shows up behind the cursor, within the declared overlap, is found by the next read."""
        acts.must_read_changes(bench)
        overlap = bench.spec.overlap.total_seconds()
        if not overlap:
            bench.not_promised("an overlap: nothing there may be committed late")
        bench.advance(acts.behind(bench))
        acts.made(bench)
        reached = acts.cursor(acts.read_all(bench))
        bench.play(Fault.LATE_ROW, on="write", seconds=overlap * 0.8)
        late = acts.made(bench)
        assert late in acts.ids(acts.read_all(bench, reached))

    def test_an_edit_is_read_and_raises_the_version(self, bench: Bench) -> None:
        """A person's edit is in the next read from the cursor, as a newer version with the new value."""
        field = bench.text_field
        id = acts.made(bench, {field: "before"})
        before = acts.record(bench, id)
        reached = acts.cursor(acts.read_all(bench))
        bench.advance(acts.behind(bench))
        bench.edit(id, {field: "after"})
        found = [one for one in acts.records(acts.read_all(bench, reached)) if one.id == id]
        assert found, "the edited record is not in the next read"
        assert acts.reading(bench, found[-1]).values[field] == "after"
        if before.version is not None:
            assert found[-1].version != before.version, "edited, but the version is the same"

    def test_pages_come_oldest_change_first(self, bench: Bench) -> None:
        """Oldest change first: newest first has no safe point to resume from."""
        acts.must_read_changes(bench)
        if not bench.spec.change_time:
            bench.not_promised("change times")
        for _ in range(bench.page_size + 1):
            acts.made(bench)
            bench.advance(1)
        times = [one.changed_at for one in acts.records(acts.read_all(bench)) if one.changed_at]
        assert times == sorted(times)

    def test_an_idle_read_costs_what_is_declared(self, bench: Bench) -> None:
        """With nothing changed, a read takes the declared requests, repeats only the overlap, and keeps its cursor."""
        acts.must_read_changes(bench)
        old = {acts.made(bench) for _ in range(bench.page_size + 1)}
        bench.advance(acts.behind(bench))
        acts.made(bench)
        reached = acts.cursor(acts.read_all(bench))
        budget = bench.connector.context.budget
        spent = budget.spent
        pages = acts.read_all(bench, reached)
        assert not old & acts.ids(pages), "records that changed long before the cursor are read again"
        assert budget.spent - spent <= bench.spec.idle_requests
        assert acts.cursor(pages) in (reached, None), "nothing changed, but the cursor moved"

    def test_a_read_cut_short_does_not_pass_for_whole(self, bench: Bench) -> None:
        """A read that breaks in the middle fails; it never ends as if it were whole."""
        for _ in range(2 * bench.page_size + 1):
            acts.made(bench)
        reader = bench.connector.read(bench.spec, None)
        pages = [next(reader)]
        bench.play(Fault.UNAVAILABLE, on="read")
        try:
            pages += list(reader)
        except RemoteError:
            return
        assert not pages[-1].last or acts.ids(pages) == set(bench.rows()), "a broken read ended with `last`"

    def test_inactive_records_are_read(self, bench: Bench) -> None:
        """A record that is switched off is read, as inactive: it is not gone."""
        id = acts.made(bench)
        bench.deactivate(id)
        found = [one for one in acts.records(acts.read_all(bench)) if one.id == id]
        assert found, "an inactive record is left out of the read"
        assert not found[-1].active, "an inactive record is read as active"

    def test_ids_lists_inactive_records(self, bench: Bench) -> None:
        """The sweep of ids lists inactive records: what it leaves out is looked for as deleted."""
        id = acts.made(bench)
        bench.deactivate(id)
        assert id in set(bench.connector.ids(bench.spec))

    def test_get_does_not_call_inactive_gone(self, bench: Bench) -> None:
        """Asked by id, an inactive record is given, not reported missing."""
        id = acts.made(bench)
        bench.deactivate(id)
        answer = acts.got(bench, id)
        assert isinstance(answer, WireRecord), f"inactive, but get says {answer}"
        assert not answer.active

    def test_a_deleted_record_is_gone(self, bench: Bench) -> None:
        """A deleted record is missing as gone, and in no sweep."""
        id = acts.made(bench)
        assert isinstance(acts.got(bench, id), WireRecord)
        assert id in set(bench.connector.ids(bench.spec))
        bench.delete(id)
        assert acts.got(bench, id) == Missing(id, "gone")
        assert id not in set(bench.connector.ids(bench.spec))

    def test_out_of_scope_is_not_gone(self, bench: Bench) -> None:
        """A record that left our scope is never reported as gone: it would be deleted on the other side."""
        id = acts.made(bench)
        bench.move_out_of_scope(id)
        answer = acts.got(bench, id)
        assert isinstance(answer, WireRecord) or answer.why in ("out_of_scope", "no_access"), f"get says {answer}"

    def test_a_merged_record_is_not_gone(self, bench: Bench) -> None:
        """A record that was merged is missing as merged, and into which: its links follow, nothing is deleted."""
        keep, loser = acts.made(bench), acts.made(bench)
        bench.merge(keep, loser)
        assert acts.got(bench, loser) == Missing(loser, "merged", into=keep)

    def test_get_answers_each_id_once(self, bench: Bench) -> None:
        """Every id asked for is answered once: those that are there, those that are not, those asked for twice."""
        there = [acts.made(bench) for _ in range(bench.page_size + 1)]
        gone = acts.made(bench)
        bench.delete(gone)
        answers = list(bench.connector.get(bench.spec, [*there, gone, there[0]]))
        assert sorted(one.id for one in answers) == sorted([*there, gone])
        assert [one for one in answers if isinstance(one, Missing)] == [Missing(gone, "gone")]

    def test_ids_lists_every_id_once(self, bench: Bench) -> None:
        """The sweep lists every id that exists, each once."""
        for _ in range(2 * bench.page_size + 1):
            acts.made(bench)
        assert sorted(bench.connector.ids(bench.spec)) == sorted(bench.rows())

    def test_find_is_exact(self, bench: Bench) -> None:
        """A search by each declared field finds the records that hold the value, not those that resemble it."""
        self._must_find(bench)
        for by in bench.spec.find_by:
            value = str(bench.value(by))
            wanted = acts.made(bench, {by: value})
            acts.made(bench, {by: f"{value}x" if "@" not in value else f"x{value}"})
            assert self._found(bench, by, value) == [wanted], f"by {by}"
            for other in {value[:-1], value.split()[0], value.split("@")[0]} - {value}:
                assert self._found(bench, by, other) == [], f"{by} = {other!r} finds {value!r}"

    def test_find_takes_several_values(self, bench: Bench) -> None:
        """A search for several values finds all of their records, each once."""
        self._must_find(bench)
        for by in bench.spec.find_by:
            first, second, nobody = (str(bench.value(by)) for _ in range(3))
            wanted = [acts.made(bench, {by: value}) for value in (first, second)]
            assert self._found(bench, by, first, nobody, second) == sorted(wanted), f"by {by}"

    def _must_find(self, bench: Bench) -> None:
        if not bench.spec.find_by:
            bench.not_promised("searches")

    def _found(self, bench: Bench, by: str, *values: str) -> list[str]:
        return sorted(one.id for one in bench.connector.find(bench.spec, by, values))

    def test_a_hidden_field_is_absent(self, bench: Bench) -> None:
        """A field that the vendor does not show is absent from the record: null would clear it on the other side."""
        field = bench.text_field
        id = acts.made(bench, {field: "hidden"})
        bench.play(Fault.HIDDEN_FIELD, field=field)
        listed = next(one for one in acts.records(acts.read_all(bench)) if one.id == id)
        for how, one in (("get", acts.record(bench, id)), ("read", listed)):
            told = acts.reading(bench, one)
            assert field not in told.values, f"hidden, but {how} gives {told.values[field]!r}"

    def test_null_is_null(self, bench: Bench) -> None:
        """A field that a person cleared is there and null: absent would never clear it on the other side."""
        field = acts.clearable(bench)
        id = acts.made(bench, {field: "something"})
        bench.edit(id, {field: None})
        told = acts.reading(bench, acts.record(bench, id))
        assert field in told.values, "cleared, but the field is absent"
        assert told.values[field] is None

    def test_every_field_of_the_map_is_shown(self, bench: Bench) -> None:
        """A record shows every field that the map reads, in a form that the map understands."""
        told = acts.reading(bench, acts.record(bench, acts.made(bench)))
        assert told.bad == {}
        absent = {one.name for one in bench.spec.map.fields if one.read} - set(told.values)
        assert not absent, f"mapped, but absent from every record: {sorted(absent)}"
