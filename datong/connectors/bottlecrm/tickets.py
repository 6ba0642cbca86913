"""What a ticket (`case`) of BottleCRM means. What it has no field for is in custom fields."""

from __future__ import annotations

from collections.abc import Mapping

from datong.connectors.bottlecrm.maps import custom_fields, own_key, sole_assignee
from datong.mapping import Field, FieldMap, choice, listed, moment, reference, text

TYPES = {"question": "Question", "repair": "Incident", "complaint": "Problem"}
STATES = {
    "New": "new",
    "Assigned": "open",
    "Pending": "waiting",
    "Closed": "closed",
    "Rejected": "cancelled",
    "Duplicate": "cancelled",
}
PRIORITIES = {"low": "Low", "normal": "Normal", "high": "High", "urgent": "Urgent"}
LONGEST = 64


def case_map(keys: Mapping[str, str]) -> FieldMap:
    """A ticket is the agent's: one that we make is filled, afterwards only its custom fields are written."""
    return FieldMap(
        "service_case",
        "cases",
        (
            Field("subject", "name", text(LONGEST), write="if_new"),
            Field("text", "description", write="if_new"),
            Field("state", "status", listed(STATES), write="if_new"),
            Field("priority", "priority", choice(PRIORITIES), write="if_new"),
            Field("type", "case_type", choice(TYPES), write="if_new"),
            Field("account", "account", reference("account"), write="if_new"),
            Field("contact", "contact", reference("contact"), write="never"),
            Field("owner", "assigned_to", sole_assignee(), write="never"),
            Field("opened", "created_at", moment(), write="never"),
            *custom_fields("service_case", keys),
        ),
        own_key=own_key(keys),
    )
