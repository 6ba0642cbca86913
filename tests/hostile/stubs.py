"""The least that BottleCRM and Tryton answer, so that their connectors can be told lies where the real ones are not."""

from __future__ import annotations

from typing import Any

from tests.connectors.rest.vendors import Asked, Told

ID = "6f0c1f7e-7a53-4c0e-9a53-0d3c6f0c1f7e"
MOMENT = {"__class__": "datetime", "year": 2026, "month": 11, "day": 21, "hour": 8, "minute": 0, "second": 0}
STAMP = {**MOMENT, "microsecond": 0}


def bottlecrm(asked: Asked) -> Told:
    """One account."""
    account = {
        "id": ID,
        "name": "大同科技",
        "custom_fields": {"datong_key": "dt-1"},
        "assigned_to": [],
        "is_active": True,
    }
    definitions = [{"key": "datong_key", "is_active": True, "label": "k", "field_type": "text", "is_required": False}]
    definitions[0]["options"] = None
    answers: dict[str, Any] = {
        "/api/org/settings/": {"id": ID, "name": "大同"},
        "/api/org/": {"profile_org_list": [{"org": {"id": ID}, "is_organization_admin": True}]},
        "/api/profile/": {"user_obj": {"user_details": {"email": "li.na@datong.example"}}},
        "/api/custom-fields/": {"definitions": definitions},
        "/api/accounts/": {
            "active_accounts": {"open_accounts": [account]},
            "closed_accounts": {"close_accounts": []},
            "industries": [["IT", "IT"]],
        },
        "/api/contacts/": {"results": []},
        "/api/invoices/products/": {"results": []},
        "/api/users/": {"active_users": {"active_users": []}, "inactive_users": {"inactive_users": []}},
        f"/api/accounts/{ID}/": {"account_obj": account, "custom_field_definitions": definitions},
    }
    if asked.method == "POST" and asked.path == "/api/accounts/":
        return Told(data={"id": ID})
    told = answers.get(asked.path)
    return Told(404, {"detail": "Not found."}) if told is None else Told(data=told)


def tryton(asked: Asked) -> Told:
    """One party."""
    party = {
        "id": 7, "name": "大同科技", "code": "C7", "active": True, "last_modified_at": STAMP, "_timestamp": "1.0",
        "replaced_by": None, "tax_identifier": None,
    }  # fmt: skip
    method, params = asked.body["method"], asked.body["params"]
    answers: dict[str, Any] = {
        "common.db.login": [1, "key"],
        "common.server.version": "8.2",
        "model.ir.lang.search_read": [{"id": 1, "create_date": STAMP}],
        "model.res.user.get_preferences": {"company_filter": "all"},
        "model.ir.model.access.get_access": {"party.party": {"read": 1, "write": 1, "create": 1, "delete": 1}},
        "model.party.party.search_read": [party] if not _behind(params, 7) else [],
        "model.party.party.fields_get": {"name": {"type": "char", "string": "Name"}},
        "model.party.party.create": [7],
        "model.party.party.write": None,
    }
    empty: Any = {} if method.endswith("fields_get") else []
    return Told(data={"id": 0, "result": answers.get(method, empty)})


def _behind(params: list[Any], id: int) -> bool:
    return bool(params) and isinstance(params[0], list) and ["id", ">", id] in params[0]
