"""Cases about webhooks: whom they are believed, and what they point at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datong.base.errors import AccessDenied, BadAnswer
from datong.testing import acts
from datong.testing.bench import Bench


class HintingCases:
    def test_a_webhook_points_at_its_record(self, bench: Bench) -> None:
        """A genuine webhook points at the record that changed."""
        id = acts.made(bench)
        hints = bench.connector.hints(bench.signed(bench.event(id)))
        assert [(one.kind, one.id) for one in hints] == [(bench.kind, id)]

    def test_a_complete_hint_is_the_whole_record(self, bench: Bench) -> None:
        """A record that a webhook brings is the record as `get` gives it: it replaces the read."""
        id = acts.made(bench)
        (hint,) = bench.connector.hints(bench.signed(bench.event(id)))
        if not bench.spec.complete_hints:
            assert hint.record is None, "the webhook brings a record, but the kind does not declare it complete"
            return
        assert hint.record == acts.record(bench, id)

    def test_a_forged_webhook_is_refused(self, bench: Bench) -> None:
        """A webhook that was signed without the secret, or not at all, is AccessDenied."""
        body = bench.event(acts.made(bench))
        genuine = bench.signed(body)
        for forged in (bench.signed(body, forged=True), replace(genuine, headers={})):
            with pytest.raises(AccessDenied):
                bench.connector.hints(forged)

    def test_an_old_webhook_is_refused(self, bench: Bench) -> None:
        """A webhook that brings its record is refused when it is repeated an hour later, or altered."""
        body = bench.event(acts.made(bench))
        genuine = bench.signed(body)
        if not bench.spec.complete_hints:
            bench.not_promised("records in webhooks; a bare hint may be repeated")
        for bad in (bench.signed(body, age=3600), replace(genuine, body=body.replace(b":", b" :", 1))):
            with pytest.raises(AccessDenied):
                bench.connector.hints(bad)

    def test_a_webhook_without_sense_is_a_bad_answer(self, bench: Bench) -> None:
        """A signed body that makes no sense is BadAnswer, not a crash."""
        for body in (b"", b"[]", b'{"surprise": true}', b"<html>"):
            with pytest.raises(BadAnswer):
                bench.connector.hints(bench.signed(body))
