"""Cases about writing: done once, answered with what is really held, and nothing else touched."""

from __future__ import annotations

import pytest

from datong.base.errors import OutcomeUnknown, RequestRefused
from datong.base.money import decimal, plain
from datong.kit import ItemWrite, Moved, Refused, Saved, Write
from datong.mapping import Field, Items, put
from datong.testing import acts
from datong.testing.bench import Bench, Fault, both_ways, is_number


class WritingCases:
    def test_a_write_answers_with_what_is_held(self, bench: Bench) -> None:
        """A create and an update answer with the record as the vendor holds it now, version included."""
        acts.must_create(bench)
        field = bench.text_field
        created = acts.saved(bench, acts.create(bench, {field: "first"}))
        assert created.id in bench.rows() and not created.existed
        assert acts.held(bench, created.id, field) == "first"
        assert acts.read_back(created) == acts.record(bench, created.id)
        if not bench.spec.update:
            return
        updated = acts.saved(bench, acts.update(bench, created.id, {field: "second"}))
        assert updated.id == created.id
        assert acts.held(bench, created.id, field) == "second"
        assert acts.read_back(updated) == acts.record(bench, created.id)

    def test_every_two_way_field_is_stored(self, bench: Bench) -> None:
        """Each field that is mapped both ways is stored, by the examples of its converter, and reads back the same."""
        acts.must_update(bench)
        id = acts.made(bench)
        for name, examples in acts.examples(bench).items():
            for example in examples:
                acts.saved(bench, acts.update(bench, id, {name: example}))
                told = acts.reading(bench, acts.record(bench, id))
                assert told.values.get(name) == example, f"{name}: {told.bad.get(name, 'not stored')}"

    def test_only_what_is_sent_changes(self, bench: Bench) -> None:
        """An update leaves alone the fields and items that it does not speak of."""
        acts.must_update(bench)
        field = bench.text_field
        id = acts.made(bench)
        ours = [one for one in bench.spec.map.items if one.write != "never"]
        items = {one.path: [ItemWrite("create", None, _item(bench, one, _tried(one)[0]))] for one in ours}
        if items:
            acts.saved(bench, acts.update(bench, id, {}, items=items))
        bench.edit(id, {name: examples[0] for name, examples in acts.examples(bench).items()})
        before = acts.reading(bench, acts.record(bench, id))
        acts.saved(bench, acts.update(bench, id, {field: "new"}))
        after = acts.reading(bench, acts.record(bench, id))
        assert after.values == {**before.values, field: "new"}
        assert after.items == before.items

    def test_null_clears_a_field(self, bench: Bench) -> None:
        """Writing null clears the field at the vendor."""
        acts.must_update(bench)
        field = acts.clearable(bench)
        id = acts.made(bench, {field: "something"})
        acts.saved(bench, acts.update(bench, id, {field: None}))
        assert acts.held(bench, id, field) is None

    def test_unicode_survives(self, bench: Bench) -> None:
        """Chinese, accents, emoji and characters beyond the BMP are stored and read as they are."""
        acts.must_update(bench)
        id = acts.made(bench)
        answer = acts.saved(bench, acts.update(bench, id, {bench.text_field: bench.unicode}))
        assert acts.held(bench, id, bench.text_field) == bench.unicode
        assert acts.reading(bench, acts.read_back(answer)).values[bench.text_field] == bench.unicode

    def test_amounts_are_exact(self, bench: Bench) -> None:
        """Money and other exact numbers never pass through a float, in neither direction."""
        acts.must_update(bench)
        numbers = [one for one in bench.spec.map.fields if both_ways(one) and is_number(bench.kind, one)]
        if not numbers:
            bench.not_promised("amounts")
        for one in numbers:
            currency = "".join(str(one.convert.examples[0]).partition(" ")[1:]) if one.convert.examples else ""
            for amount in (bench.exact_amount, "0.1"):
                value = plain(decimal(amount)) + currency
                id = acts.made(bench)
                acts.saved(bench, acts.update(bench, id, {one.name: value}))
                assert acts.held(bench, id, one.name) == value, f"{one.name}: written wrong"
                assert acts.reading(bench, acts.record(bench, id)).values[one.name] == value, f"{one.name}: read wrong"

    def test_what_the_target_normalises_is_answered(self, bench: Bench) -> None:
        """Where the vendor changes a value, the answer carries the vendor's: an echo of ours would hide the change."""
        acts.must_update(bench)
        field = bench.text_field
        id = acts.made(bench)
        bench.play(Fault.NORMALISED, field=field)
        answer = acts.saved(bench, acts.update(bench, id, {field: "Mixed Case"}))
        assert acts.held(bench, id, field) == "MIXED CASE", "the bench did not play NORMALISED"
        assert acts.reading(bench, acts.read_back(answer)).values[field] == "MIXED CASE"

    def test_a_field_dropped_in_silence_shows(self, bench: Bench) -> None:
        """Where the vendor does not keep a value and says nothing, the answer does not claim that it did."""
        acts.must_update(bench)
        field = bench.text_field
        id = acts.made(bench, {field: "old"})
        bench.play(Fault.DROPPED_FIELD, field=field)
        answer = acts.saved(bench, acts.update(bench, id, {field: "new"}))
        assert acts.held(bench, id, field) == "old", "the bench did not play DROPPED_FIELD"
        assert acts.reading(bench, acts.read_back(answer)).values.get(field) != "new"

    def test_a_refused_item_stops_nobody_else(self, bench: Bench) -> None:
        """In a batch one item is refused with its reason and field; the others are saved."""
        if bench.spec.one_fails_all:
            bench.not_promised("single refusals; one refuses its whole call")
        acts.must_create(bench)
        field = bench.text_field
        bench.play(Fault.REFUSED, field=field, containing="bad")
        batch = [acts.create(bench, {field: text}) for text in ("bad", "good", "good")]
        some = batch if bench.spec.batch >= len(batch) else batch[:1]
        for write, answer in zip(some, acts.written(bench, *some), strict=True):
            if write is batch[0]:
                assert isinstance(answer, Refused), f"refused by the vendor, but answered {answer}"
                assert answer.reason
                assert answer.field in (None, bench.path(field))
            else:
                assert isinstance(answer, Saved), f"{answer} although only its neighbour was refused"
                assert acts.held(bench, answer.id, field) == "good"
        assert not [id for id in bench.rows() if acts.held(bench, id, field) == "bad"]

    def test_an_all_or_nothing_batch_stores_nothing(self, bench: Bench) -> None:
        """Where one refusal refuses the whole call, the call is raised as refused and nothing of it is stored."""
        if not bench.spec.one_fails_all:
            bench.not_promised("all-or-nothing batches")
        acts.must_create(bench)
        field, before = bench.text_field, set(bench.rows())
        bench.play(Fault.REFUSED, field=field, containing="bad")
        batch = [acts.create(bench, {field: text}) for text in ("good", "bad")]
        with pytest.raises(RequestRefused):
            list(bench.connector.write(bench.spec, batch))
        assert set(bench.rows()) == before
        acts.saved(bench, batch[0])

    def test_a_full_batch_is_taken(self, bench: Bench) -> None:
        """The vendor takes as many records in one call as the kind declares, and each is answered by its ref."""
        acts.must_create(bench)
        batch = [acts.create(bench) for _ in range(bench.spec.batch)]
        answers = acts.written(bench, *batch)
        rows = bench.rows()
        for write, answer in zip(batch, answers, strict=True):
            assert isinstance(answer, Saved), answer
            sent = acts.reading(bench, write.values).values
            assert acts.reading(bench, rows[answer.id]).values.items() >= sent.items(), "answered with another's id"

    def test_the_own_key_finds_what_it_made(self, bench: Bench) -> None:
        """Our key is stored with a create and finds that one record; a part of the key finds nothing."""
        acts.must_create(bench)
        if bench.spec.map.own_key is None:
            bench.not_promised("a place for our own key")
        keys = [bench.unique(), bench.unique()]
        made = [acts.saved(bench, acts.create(bench, key=key)).id for key in keys]
        find = bench.connector.find
        assert [one.id for one in find(bench.spec, "own_key", [keys[0]])] == made[:1]
        assert sorted(one.id for one in find(bench.spec, "own_key", keys)) == sorted(made)
        assert list(find(bench.spec, "own_key", [keys[0][:-1], f"{keys[0]}0"])) == []

    def test_a_create_that_failed_after_commit_makes_one_record(self, bench: Bench) -> None:
        """A create answered by an error after it was done is unknown, and trying again does not make a second one."""
        self._lost_create(bench, Fault.FAILED_AFTER_COMMIT)

    def test_a_create_without_an_answer_makes_one_record(self, bench: Bench) -> None:
        """A create whose connection was cut is unknown, and trying again does not make a second one."""
        self._lost_create(bench, Fault.DROPPED)

    def _lost_create(self, bench: Bench, fault: Fault) -> None:
        acts.must_create(bench)
        write = acts.create(bench)
        before = set(bench.rows())
        bench.play(fault, on="write")
        with pytest.raises(OutcomeUnknown):
            list(bench.connector.write(bench.spec, [write]))
        (made,) = set(bench.rows()) - before
        self._once(bench, write, made)

    def test_a_create_committed_late_makes_one_record(self, bench: Bench) -> None:
        """A create that timed out and was committed later is unknown, and after `settle` it is found."""
        acts.must_create(bench)
        write = acts.create(bench)
        before = set(bench.rows())
        delay = bench.spec.settle.total_seconds() / 2
        bench.play(Fault.LATE_COMMIT, on="write", seconds=delay)
        with pytest.raises(OutcomeUnknown):
            list(bench.connector.write(bench.spec, [write]))
        if bench.spec.create == "by_key":  # the key is unique there: who comes second is refused
            first = acts.saved(bench, write)
            bench.advance(delay)
            assert set(bench.rows()) - before == {first.id}
            return
        bench.advance(2 * delay)
        (made,) = set(bench.rows()) - before
        self._once(bench, write, made)

    def _once(self, bench: Bench, write: Write, made: str) -> None:
        """How the engine goes on after an unknown create, by what the kind declares."""
        before = set(bench.rows())
        if bench.spec.create == "by_key":
            again = acts.saved(bench, write)
            assert (again.id, again.existed) == (made, True)
            assert acts.read_back(again) == acts.record(bench, made)
        if bench.spec.create in ("by_key", "by_search") and bench.spec.map.own_key:
            found = bench.connector.find(bench.spec, "own_key", [str(write.key)])
            assert [one.id for one in found] == [made]
        assert set(bench.rows()) == before, "a second record was made"

    def test_a_stale_write_changes_nothing(self, bench: Bench) -> None:
        """An update or delete planned on an older version is answered Moved and changes nothing."""
        acts.must_update(bench)
        if not bench.spec.guard:
            bench.not_promised("a version guard")
        field = bench.text_field
        id = acts.made(bench, {field: "planned on"})
        old = acts.record(bench, id)
        bench.edit(id, {field: "by a person"})
        stale = acts.update(bench, id, {field: "ours"}, version=old.version)
        assert acts.written(bench, stale) == [Moved(stale.ref)]
        gone = acts.removal(id, old.version)
        if bench.spec.delete:
            assert acts.written(bench, gone) == [Moved(gone.ref)]
        assert acts.held(bench, id, field) == "by a person"
        acts.saved(bench, acts.update(bench, id, {field: "ours"}, version=acts.record(bench, id).version))
        assert acts.held(bench, id, field) == "ours"

    def test_an_update_of_a_deleted_record_moves_nothing(self, bench: Bench) -> None:
        """An update of a record that is gone is answered Moved; it does not make the record again."""
        acts.must_update(bench)
        id = acts.made(bench)
        bench.delete(id)
        before = set(bench.rows())
        write = acts.update(bench, id, {bench.text_field: "too late"})
        assert acts.written(bench, write) == [Moved(write.ref)]
        assert set(bench.rows()) == before

    def test_a_delete_twice_is_safe(self, bench: Bench) -> None:
        """A delete is done; done again it is still done."""
        if not bench.spec.delete:
            bench.not_promised("deletes")
        id = acts.made(bench)
        for _ in range(2):
            answer = acts.saved(bench, acts.removal(id))
            assert (answer.id, answer.record) == (id, None)
            assert id not in bench.rows()

    def test_items_are_written_one_by_one(self, bench: Bench) -> None:
        """Items of a collection are created, changed and deleted by their line ids; the others keep theirs."""
        collections = [one for one in bench.spec.map.items if one.id is not None and one.write != "never"]
        if not collections:
            bench.not_promised("collections with line ids")
        acts.must_update(bench)
        acts.must_create(bench)
        for collection in collections:
            self._items(bench, collection)

    def _items(self, bench: Bench, collection: Items) -> None:
        leaf = _leaf(collection).name
        texts = _tried(collection)

        def lines(id: str) -> dict[str | None, object]:
            told = acts.reading(bench, bench.rows()[id]).items[collection.name]
            return {line.native_id: line.values[leaf] for line in told}

        new = [ItemWrite("create", None, _item(bench, collection, text)) for text in texts[:3]]
        id = acts.saved(bench, acts.create(bench, items={collection.path: new})).id
        by_value = {value: line for line, value in lines(id).items()}
        first, second, third = (by_value[text] for text in texts[:3])
        changes = [
            ItemWrite("update", first, _item(bench, collection, texts[3])),
            ItemWrite("delete", second),
            ItemWrite("create", None, _item(bench, collection, texts[4])),
        ]
        answer = acts.saved(bench, acts.update(bench, id, {}, items={collection.path: changes}))
        after = lines(id)
        assert (after.pop(first, None), after.pop(third, None)) == (texts[3], texts[2])
        assert second not in after and list(after.values()) == [texts[4]]
        told = acts.reading(bench, acts.read_back(answer)).items[collection.name]
        assert {line.native_id: line.values[leaf] for line in told} == lines(id)


def _leaf(collection: Items) -> Field:
    """The playground of an item: a text where it has one, else what is no reference."""
    fields = [one for one in collection.fields if both_ways(one) and not one.convert.to]
    return next((one for one in fields if one.convert.name == "text"), fields[0])


def _tried(collection: Items) -> tuple[str, ...]:
    """Values that the playground can hold, no two the same."""
    words = ("first", "second", "third", "changed", "fourth")
    return words if _leaf(collection).convert.name in ("text", "trimmed") else ("1", "2", "3", "4", "5")


def _item(bench: Bench, collection: Items, text: str) -> dict[str, object]:
    data: dict[str, object] = {}
    values = {**bench.item_sample(collection.name), _leaf(collection).name: text}
    for one in collection.fields:
        if one.name in values:
            put(data, one.path, one.convert.to_wire(values[one.name]))
    return data
