"""Open the CRM's webhook filter to this machine; in production it rightly refuses loopback addresses."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig  # type: ignore


class LoopbackConfig(AppConfig):  # type: ignore
    """Replaces the three questions that the filter asks: which addresses, which schemes, which ports."""

    name = "bottlecrm_settings.loopback"

    def ready(self) -> None:
        from webhooks import ssrf  # type: ignore

        ssrf.is_blocked = lambda address: not address.is_loopback
        ssrf._allowed_schemes = lambda: ("https", "http")
        ssrf._allowed_ports = AnyPort


class AnyPort:
    """A set that holds every port."""

    def __contains__(self, port: Any) -> bool:
        return True
