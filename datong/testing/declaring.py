"""Cases about what a connector says of itself: its map, its capabilities, who it is connected to."""

from __future__ import annotations

from datong.mapping import Field
from datong.testing import acts
from datong.testing.bench import Bench, both_ways


class DeclaringCases:
    def test_two_way_fields_survive_their_examples(self, bench: Bench) -> None:
        """A field is two-way only if each example of its converter, written and read, is the same again."""
        items = (field for collection in bench.spec.map.items for field in collection.fields)
        for one in (*bench.spec.map.fields, *items):
            if both_ways(one):
                self._survives(one)

    def _survives(self, one: Field) -> None:
        for example in one.convert.examples:
            wire = one.convert.to_wire(example)
            assert one.convert.from_wire(wire) == example, f"{one.name}: {example!r} is written as {wire!r}"
        assert one.convert.from_wire(one.convert.to_wire(None)) is None, f"{one.name}: null does not read back as null"

    def test_the_declared_capabilities_hold_together(self, bench: Bench) -> None:
        """What the kind declares can be true: fields are mapped, a guard has versions, a key has a place."""
        spec = bench.spec
        assert spec.map.kind == bench.kind
        unmapped = {
            name
            for name in (*spec.find_by, *spec.required, *(name for name, _ in spec.without))
            if spec.map.named(name) is None
        }
        assert not unmapped, f"declared, but not mapped: {sorted(unmapped)}"
        assert spec.batch >= 1
        assert spec.create != "by_key" or spec.map.own_key, "creates by our key, but the map has no place for it"
        assert spec.create != "by_search" or spec.map.own_key or spec.find_by, "creates by search, but finds by nothing"
        assert not (spec.one_fails_all and spec.batch == 1), "a batch of one cannot fail the others"
        assert min(spec.overlap, spec.read_lag, spec.settle).total_seconds() >= 0

    def test_records_carry_what_is_declared(self, bench: Bench) -> None:
        """Records have a version where writes are guarded or hints complete, and a change time where declared."""
        id = acts.made(bench)
        (found,) = [one for one in acts.records(acts.read_all(bench)) if one.id == id]
        for one in (found, acts.record(bench, id)):
            if bench.spec.guard or bench.spec.complete_hints:
                assert one.version is not None, "declared, but the record has no version"
            if bench.spec.change_time:
                assert one.changed_at is not None, "declared, but the record has no change time"
                assert one.changed_at.tzinfo is not None, "a change time without a zone"

    def test_check_tells_who_answers(self, bench: Bench) -> None:
        """The connection names the organisation or database behind it, the same each time, and misses no right."""
        first, again = bench.connector.check(), bench.connector.check()
        assert first.identity and first.identity == again.identity
        assert not first.missing_scopes
        assert first.server_time is None or first.server_time.tzinfo is not None

    def test_the_description_knows_the_map(self, bench: Bench) -> None:
        """Where the vendor describes its fields, every mapped one is among them: else it would look like drift."""
        told = {one.path for one in bench.connector.describe(bench.spec)}
        if not told:
            bench.not_promised("a description of its fields")
        missing = {one.path for one in bench.spec.map.fields} - told
        assert not missing, f"mapped, but not described: {sorted(missing)}"
