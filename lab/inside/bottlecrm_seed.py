"""Create the CRM's tables, an organisation, its administrator and the connector's tokens, without a server.

Runs inside the BottleCRM environment:

    python bottlecrm_seed.py RESULT.json
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import django  # type: ignore

ADMIN = "admin@example.com"


def main(result: str) -> None:
    """Tables first; then everything through the CRM's own commands and API."""
    django.setup()
    from django.core.management import call_command  # type: ignore

    call_command("migrate", run_syncdb=True, verbosity=0)
    jwt = first_login()
    org = call("/api/org/", {"name": "Datong Lab", "default_currency": "CNY"}, jwt)["org"]["id"]
    session = call("/api/auth/switch-org/", {"org_id": org}, jwt)
    # no scopes means all scopes
    token = call("/api/profile/tokens/", {"name": "datong", "scopes": []}, session["access_token"])["token"]
    credentials = {
        "org": org, "user": ADMIN, "token": token,
        "jwt": session["access_token"], "refresh": session["refresh_token"],
    }  # fmt: skip
    Path(result).write_text(json.dumps(credentials, indent=1), encoding="utf-8")


def first_login() -> str:
    """The CRM's developer command makes the user and a token that belongs to no organisation yet."""
    from django.core.management import call_command
    from django.test import override_settings  # type: ignore

    out = io.StringIO()
    with override_settings(DEBUG=True):  # the command refuses otherwise
        call_command("devlogin", ADMIN, create=True, stdout=out)
    return next(line.split()[1] for line in out.getvalue().splitlines() if line.startswith("access_token:"))


def call(path: str, body: dict[str, Any], jwt: str) -> dict[str, Any]:
    """POST in process; anything but success ends the set-up."""
    from django.test import Client

    headers = {"authorization": f"Bearer {jwt}", "host": "127.0.0.1"}
    answer = Client(headers=headers).post(path, body, content_type="application/json")
    if answer.status_code not in (200, 201):
        sys.exit(f"POST {path}: {answer.status_code}: {answer.content[:500]!r}")
    parsed: dict[str, Any] = answer.json()
    return parsed


if __name__ == "__main__":
    main(sys.argv[1])
