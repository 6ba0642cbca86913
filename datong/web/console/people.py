"""Who may act, and one's own password and tokens."""

from __future__ import annotations

from nicegui import ui

from datong.operations.actor import ROLES
from datong.web.console.frame import Visitor, button, card, heading, rows


async def build(who: Visitor) -> None:
    access = who.house.access
    known = await who.ask(lambda: access.known(who.actor)) or []
    lines = [
        {**one, "roles": ", ".join(who.t(role) for role in one["roles"]), "password": who.t(one["password"])}
        for one in known
    ]
    with card():
        heading(who.t("Who may act"))
        rows(who, {"name": "Name", "roles": "Roles", "password": "Password"}, lines, "name")
        ui.label(who.t("People and roles stand under people: in datong.yaml.")).classes("text-sm")
    _password(who, [one["name"] for one in known])
    await _tokens(who)


def _password(who: Visitor, names: list[str]) -> None:
    access, me = who.house.access, who.actor
    with card():
        heading(who.t("Set a password"))
        with ui.row().classes("items-center"):
            person = ui.select(names if me.may("admin") else [me.name], value=me.name, label=who.t("Name")).props(
                "outlined dense"
            )
            given = ui.input(who.t("New password"), password=True, password_toggle_button=True).props(
                'outlined dense autocomplete="new-password"'
            )

            async def put() -> None:
                done = await who.ask(lambda: access.set_password(who.actor, person.value, given.value))
                if done:
                    given.value = ""
                    ui.notify(who.t("{name} logs in with it from now on.", name=person.value), type="positive")

            button(who.t("Set"), put, "key", main=True)


async def _tokens(who: Visitor) -> None:
    access = who.house.access

    @ui.refreshable
    async def listed() -> None:
        told = await who.ask(lambda: access.tokens(who.actor)) or []
        lines = [
            {**one, "until": who.when(one["until"]), "used_at": who.when(one["used_at"]), "state": who.t(one["state"])}
            for one in told
        ]
        columns = {
            "id": "No.",
            "person": "Name",
            "name": "What for",
            "role": "Role",
            "state": "State",
            "until": "Until",
            "used_at": "Last used",
        }
        rows(who, columns, lines)

    with card():
        heading(who.t("Tokens for programs"))
        await listed()
        with ui.row().classes("items-center"):
            name = ui.input(who.t("What for")).props("outlined dense")
            mine = [role for role in ROLES if who.actor.may(role)]
            role = ui.select({one: who.t(one) for one in mine}, value="viewer", label=who.t("Role")).props(
                "outlined dense"
            )
            days = (
                ui.number(who.t("Days"), value=90, min=1, max=366, precision=0).props("outlined dense").classes("w-24")
            )

            async def make() -> None:
                me = who.actor
                made = await who.ask(
                    lambda: access.make_token(me, me.name, name.value or "?", role.value, int(days.value or 0))
                )
                if made is None:
                    return
                with ui.dialog(value=True), ui.card():
                    ui.label(who.t("It is shown this once; only a digest of it is kept."))
                    ui.input(value=made["token"]).props("readonly outlined").classes("w-96 font-mono")
                await listed.refresh()

            button(who.t("Make a token"), make, "vpn_key")
            number = ui.number(who.t("No."), precision=0).props("outlined dense").classes("w-24")

            async def end() -> None:
                if await who.ask(lambda: access.revoke(who.actor, int(number.value or 0))):
                    await listed.refresh()

            button(who.t("Revoke"), end, "block")
