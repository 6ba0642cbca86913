"""The places where the broken connectors put their hand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from datong.connectors.sandbox_crm import SandboxCrm
from datong.kit import (
    Answer,
    KindSpec,
    Missing,
    Page,
    Saved,
    WireRecord,
    Write,
)


def broken(*cases: str) -> frozenset[str]:
    return frozenset(f"test_{one}" for one in cases)


class Broken(SandboxCrm):
    """The places where the broken ones put their hand in."""

    fails: ClassVar[frozenset[str]] = frozenset()

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return {kind: self.declared(spec) for kind, spec in super().kinds.items()}

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        for page in super().read(spec, since):
            yield replace(page, records=[self.shown(spec, one) for one in page.records])

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        for one in super().get(spec, ids):
            yield self.shown(spec, one) if isinstance(one, WireRecord) else one

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in super().write(spec, [self.sent(spec, one) for one in batch]):
            yield replace(one, record=self.shown(spec, one.record)) if isinstance(one, Saved) and one.record else one

    def declared(self, spec: KindSpec) -> KindSpec:
        return spec

    def shown(self, spec: KindSpec, record: WireRecord) -> WireRecord:
        return record

    def sent(self, spec: KindSpec, write: Write) -> Write:
        return write
