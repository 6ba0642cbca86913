"""Connectors broken on purpose: what they say of themselves, and whom they believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from datong.base.clock import from_text
from datong.base.json import loads
from datong.kit import (
    Checked,
    Hint,
    Incoming,
    KindSpec,
    WireRecord,
)
from datong.mapping import Field, boolean, choice
from datong.testing.broken.base import Broken, broken


class LossyMap(Broken):
    """Maps two canonical values to one wire value, and calls it two-way."""

    fails = broken("two_way_fields_survive_their_examples", "every_two_way_field_is_stored")

    def declared(self, spec: KindSpec) -> KindSpec:
        pairs = choice({"lead": "lead", "prospect": "lead", "customer": "customer", "closed": "closed"})
        stage = Field("stage", "stage", replace(pairs, examples=("lead", "prospect")))
        fields = tuple(stage if one.name == "stage" else one for one in spec.map.fields)
        return replace(spec, map=replace(spec.map, fields=fields))


class MapsAMissingField(Broken):
    """Maps a field that the vendor does not have."""

    fails = broken("the_description_knows_the_map", "every_field_of_the_map_is_shown", "every_two_way_field_is_stored")

    def declared(self, spec: KindSpec) -> KindSpec:
        fields = (*spec.map.fields, Field("custom.audited", "custom.audited", boolean()))
        return replace(spec, map=replace(spec.map, fields=fields))


class PromisesTooMuch(Broken):
    """Declares a create by our key without a place for the key."""

    fails = broken("the_declared_capabilities_hold_together")

    def declared(self, spec: KindSpec) -> KindSpec:
        return replace(spec, map=replace(spec.map, own_key=None))


class NoVersions(Broken):
    """Declares a guard, but its records have no version."""

    fails = broken("records_carry_what_is_declared", "a_stale_write_changes_nothing")

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return replace(record, version=None)

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        found = super().hints(incoming)
        return [replace(one, record=one.record and replace(one.record, version=None)) for one in found]


class ChangesItsName(Broken):
    """Takes for the identity what differs from call to call."""

    fails = broken("check_tells_who_answers", "two_accounts_are_kept_apart")

    count = 0

    def check(self) -> Checked:
        self.count += 1
        return replace(super().check(), identity=f"session-{self.count}")


class PointsElsewhere(Broken):
    """Takes the id of the event for the id of the record."""

    fails = broken("a_webhook_points_at_its_record")

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        return [replace(one, id=str(loads(incoming.body)["id"])) for one in super().hints(incoming)]


class HalfHints(Broken):
    """Calls complete what leaves fields out."""

    fails = broken("a_complete_hint_is_the_whole_record")

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        found = super().hints(incoming)
        return [replace(one, record=one.record and replace(one.record, data={"name": "?"})) for one in found]


class TrustsAnyone(Broken):
    """Does not look at the signature."""

    fails = broken("a_forged_webhook_is_refused", "an_old_webhook_is_refused")

    def _verify(self, incoming: Incoming) -> None:
        pass


class NeverTooOld(Broken):
    """Looks at the signature, not at its time."""

    fails = broken("an_old_webhook_is_refused")

    def _verify(self, incoming: Incoming) -> None:
        signature = incoming.headers.get("x-simcrm-signature", "")
        moment = signature.partition(",")[0].removeprefix("t=")
        signed_at = from_text("1970-01-01T00:00:00Z") + type(self.kinds["account"].overlap)(seconds=int(moment or 0))
        super()._verify(replace(incoming, received_at=signed_at))


class ChokesOnNonsense(Broken):
    """Expects every signed body to make sense."""

    fails = broken("a_webhook_without_sense_is_a_bad_answer")

    def hints(self, incoming: Incoming) -> Sequence[Hint]:
        self._verify(incoming)
        event = loads(incoming.body)
        return [Hint("account", event["object_id"], self._record(event["data"]))]
