"""What a connector is: the protocol it fulfils, what it declares, and the means every connector needs.

A connector moves wire records only. Errors do not appear in it: `kit.http` turns answers into consequences once.
"""

from datong.kit.connector import (
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    Hint,
    Incoming,
    KindSpec,
    Posted,
    Takes,
    WireField,
)
from datong.kit.files import Files
from datong.kit.http import Http, Reply, Rule, Sign
from datong.kit.understood import understood
from datong.kit.wire import (
    Answer,
    ItemWrite,
    Lost,
    Missing,
    Moved,
    Page,
    Refused,
    Saved,
    WireRecord,
    Write,
)

__all__ = [
    "Answer",
    "Checked",
    "Connector",
    "ConnectorSettings",
    "Context",
    "Files",
    "Hint",
    "Http",
    "Incoming",
    "ItemWrite",
    "KindSpec",
    "Lost",
    "Missing",
    "Moved",
    "Page",
    "Posted",
    "Refused",
    "Reply",
    "Rule",
    "Saved",
    "Sign",
    "Takes",
    "WireField",
    "WireRecord",
    "Write",
    "understood",
]
