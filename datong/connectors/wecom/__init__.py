"""WeCom (企业微信): notices go to members as messages of an application, or to a group by its robot. Set-up, sources
and known gaps for administrators: README.md in this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from pydantic import Field as Setting
from pydantic import SecretStr, model_validator

from datong.base.clock import from_text, to_text
from datong.base.errors import AccessDenied, BadAnswer, RateLimited, TryLater
from datong.kit import (
    Answer,
    Checked,
    Connector,
    ConnectorSettings,
    Context,
    KindSpec,
    Missing,
    Page,
    Refused,
    Saved,
    WireRecord,
    Write,
)
from datong.kit.http import Http
from datong.mapping import Field, FieldMap, boolean, moment, text, trimmed

_DUPLICATES = timedelta(hours=4)
"""The longest time in which WeCom tells no member the same again (`duplicate_check_interval`)."""
_TOKEN = frozenset((40014, 41001, 42001))
"""invalid, missing, expired access_token: a new one is fetched"""
_NO_RIGHT = frozenset((40001, 40013, 40056, 48002, 60020, 93000))
"""wrong secret, corpid or agent, no right, address not allowed, wrong robot key"""
_LATER = frozenset((-1, 45009, 45033, 6000))
"""busy, too many calls"""
_LONGEST = 2048
"""bytes of a text message"""
MEMBER = FieldMap(
    "notice",
    "messages",
    (
        Field("wecom", "touser", trimmed()),
        Field("text", "text", text()),
        Field("expires", "expires", moment()),
        Field("wecom_sent", "sent_at", moment(), write="never"),
    ),
)
GROUP = FieldMap(
    "notice",
    "group messages",
    (
        Field("group", "group", boolean()),
        Field("text", "text", text()),
        Field("expires", "expires", moment()),
        Field("group_sent", "sent_at", moment(), write="never"),
    ),
)


class WeComSettings(ConnectorSettings):
    """An application of the company, or the robot of a group."""

    url: str = Setting("https://qyapi.weixin.qq.com", description="address of the service")
    robot_key: SecretStr | None = Setting(None, description="key of a group's robot (群机器人), in its address")
    corpid: str | None = Setting(None, description="id of the company (企业ID)")
    agentid: int | None = Setting(None, description="id of the application (AgentId)")
    secret: SecretStr | None = Setting(None, description="secret of the application (Secret)")
    timeout: float = Setting(30, gt=0, le=600, description="seconds until a silent server counts as gone")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        application = (self.corpid, self.agentid, self.secret)
        if (self.robot_key is not None) == any(one is not None for one in application):
            raise ValueError("give `robot_key`, or `corpid`, `agentid` and `secret`")
        if self.robot_key is None and None in application:
            raise ValueError("an application needs `corpid`, `agentid` and `secret`")
        return self


class WeCom(Connector[WeComSettings]):
    name: ClassVar[str] = "wecom"
    title: ClassVar[str] = "WeCom 企业微信"
    settings_class: ClassVar[type[ConnectorSettings]] = WeComSettings

    def __init__(self, settings: WeComSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._http = Http(settings.url, context.budget, timeout=settings.timeout)
        self._token: tuple[str, datetime] | None = None
        self._robot = settings.robot_key is not None
        self._kinds = {
            "notice": KindSpec(
                GROUP if self._robot else MEMBER,
                reads="never",
                create="ask" if self._robot else "by_key",
                update=False,
                delete=False,
                settle=timedelta(minutes=2),
                required=("group" if self._robot else "wecom", "text"),
                idle_requests=0,
            )
        }

    @property
    def kinds(self) -> Mapping[str, KindSpec]:
        return self._kinds

    def check(self) -> Checked:
        """Of a robot nothing can be asked without a message to the group."""
        if self._robot:
            return Checked(f"{self.settings.url}/robot", detail="a robot is proved by its first message")
        self._access()
        return Checked(f"{self.settings.url}/{self.settings.corpid}/{self.settings.agentid}")

    def read(self, spec: KindSpec, since: str | None) -> Iterator[Page]:
        yield Page([], last=True)

    def get(self, spec: KindSpec, ids: Sequence[str]) -> Iterator[WireRecord | Missing]:
        yield from (Missing(id, "out_of_scope") for id in ids)

    def ids(self, spec: KindSpec) -> Iterator[str]:
        yield from ()

    def find(self, spec: KindSpec, by: str, values: Sequence[str]) -> Iterator[WireRecord]:
        yield from ()

    def close(self) -> None:
        self._http.close()

    def write(self, spec: KindSpec, batch: Sequence[Write]) -> Iterator[Answer]:
        for one in batch:
            if one.action != "create":
                yield Refused(one.ref, "what was sent stays sent", code="sent")
            else:
                yield self._sent(one)

    def _sent(self, one: Write) -> Answer:
        values, now = one.values, self.context.clock.now()
        if values.get("expires") and now >= from_text(values["expires"]):
            return Refused(one.ref, "it is too late to tell it", "expires", "late", "`datong parked dismiss`")
        told = self._to_group(values) if self._robot else self._to_member(values)
        code = told.get("errcode")
        if code == 0 and not told.get("invaliduser"):
            id = str(told.get("msgid") or one.key)
            return Saved(one.ref, id, WireRecord(id, {**values, "sent_at": to_text(now)}))
        why = f"{code} {told.get('errmsg') or ''}".strip()
        if told.get("invaliduser"):
            why = f"{told['invaliduser']} is no member that the application may write to"
        return Refused(one.ref, why, "touser", str(code), "correct the WeCom user of the contact (custom.wecom)")

    def _to_group(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        assert self.settings.robot_key is not None
        key = self.settings.robot_key.get_secret_value()
        return self._told("/cgi-bin/webhook/send", {"key": key}, _body(values), changes=True)

    def _to_member(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        body = {
            **_body(values),
            "touser": values["touser"],
            "agentid": self.settings.agentid,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": int(_DUPLICATES.total_seconds()),
        }
        answer = self._told("/cgi-bin/message/send", {"access_token": self._access()}, body, changes=True)
        if answer.get("errcode") in _TOKEN:
            self._token = None
            answer = self._told("/cgi-bin/message/send", {"access_token": self._access()}, body, changes=True)
        return answer

    def _access(self) -> str:
        """The token of the application, kept until it expires."""
        now = self.context.clock.now()
        if self._token is None or now >= self._token[1]:
            told = self.settings
            secret = told.secret.get_secret_value() if told.secret is not None else ""
            answer = self._told("/cgi-bin/gettoken", {"corpid": told.corpid, "corpsecret": secret}, None)
            if answer.get("errcode") != 0 or not isinstance(answer.get("access_token"), str):
                raise AccessDenied(
                    f"WeCom gives no token: {answer.get('errcode')} {answer.get('errmsg')}",
                    remedy="check `corpid` and `secret`",
                )
            lasts = timedelta(seconds=max(0, int(answer.get("expires_in") or 7200) - 300))
            self._token = (answer["access_token"], now + lasts)
        return self._token[0]

    def _told(self, path: str, params: Mapping[str, Any], body: Any, *, changes: bool = False) -> Mapping[str, Any]:
        answer = self._http.call("POST" if changes else "GET", path, params=params, body=body, changes=changes)
        if not isinstance(answer, dict):
            raise BadAnswer(f"WeCom answered {path} with no object")
        code = answer.get("errcode")
        if code in _NO_RIGHT:
            raise AccessDenied(f"WeCom refuses: {code} {answer.get('errmsg')}", remedy="check ids, secret and rights")
        if code == 45009:
            raise RateLimited(f"WeCom: {answer.get('errmsg')}", after=60.0)
        if code in _LATER:
            raise TryLater(f"WeCom: {code} {answer.get('errmsg')}")
        return answer


def _body(values: Mapping[str, Any]) -> dict[str, Any]:
    content = str(values["text"]).encode()
    shown = content.decode() if len(content) <= _LONGEST else content[: _LONGEST - 3].decode(errors="ignore") + "…"
    return {"msgtype": "text", "text": {"content": shown}}
