"""Whose token it is, and what it may do."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datong.base.errors import AccessDenied, RequestRefused
from datong.connectors.bottlecrm import custom_fields
from datong.connectors.bottlecrm.endpoints import Endpoint
from datong.kit import Http

NOBODY = str(uuid.UUID(int=0))


def organisation(http: Http) -> tuple[Mapping[str, Any], bool]:
    """The organisation that the token belongs to, and whether its owner is an administrator there."""
    found = http.get("/api/org/settings/")
    memberships = http.get("/api/org/")["profile_org_list"]
    mine = (one["is_organization_admin"] for one in memberships if one["org"]["id"] == found["id"])
    return found, next(mine, False)


def sees_all(http: Http) -> bool:
    """Whether a 404 means gone: who is no administrator gets one for every record of somebody else, too."""
    try:
        return organisation(http)[1]
    except AccessDenied:
        return False


def missing_scopes(http: Http, endpoints: Iterable[Endpoint]) -> Iterator[str]:
    """Tries to read each kind, and to change a record that cannot exist: only a missing right can be in the way."""
    tries: list[tuple[str, str, dict[str, str]]] = [
        ("GET", custom_fields.PATH, {"target_model": "Account", "include_counts": "false"})
    ]
    for endpoint in endpoints:
        tries.append(("GET", endpoint.path, {"limit": "1"}))
        if endpoint.scope != "users":
            tries.append((endpoint.update, f"{endpoint.path}{NOBODY}/", {}))
    for method, path, params in tries:
        try:
            http.call(method, path, params=params, body=None if method == "GET" else {}, changes=False)
        except AccessDenied as error:
            named = re.search(r"needs the (\S+) scope", error.message)
            if named:
                yield named[1]
            elif "switched off" in error.message:
                yield error.message
        except RequestRefused as error:
            if error.code != "404":
                raise
