"""What the description says of proofs: how we prove who we are, and how a webhook proves who calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import SecretStr, model_validator

from datong.connectors.rest.description import Condition, Duration, Part, Request
from datong.connectors.rest.template import placeholders, wrong_places
from datong.mapping import Mistake


class Basic(Part):
    user: str
    """name"""
    password: SecretStr
    """password"""


class HeaderKey(Part):
    name: str
    """name of the header"""
    key: SecretStr
    """its whole value"""


class Bearer(Part):
    token: SecretStr
    """token that is sent as `Authorization: Bearer ...`"""


class OAuth2(Part):
    """Client credentials."""

    token_url: str
    """address that gives tokens: whole, or a path of the connection"""
    client_id: str
    """id of the application"""
    client_secret: SecretStr
    """its secret"""
    scope: str | None = None
    """rights asked for"""
    audience: str | None = None
    """for whom the token is"""
    sent: Literal["basic", "body"] = "basic"
    """where id and secret stand"""


class Session(Part):
    """A login call; a cookie it sets is kept, a token it gives is sent as a header."""

    login: Request
    """the call"""
    ok: Condition | None = None
    """what a good answer says"""
    text: str | None = None
    """where the words of a refusal lie"""
    token: str | None = None
    """where the token lies; nothing: the cookie is all"""
    header: str = "Authorization"
    """header that carries the token"""
    prefix: str = ""
    """what stands before it, such as `Bearer `"""

    @model_validator(mode="after")
    def _knows_nothing(self) -> Session:
        try:
            self.login.know(())
        except Mistake as wrong:
            raise Mistake(wrong.cause, wrong.remedy, ("login", *wrong.steps)) from None
        return self


class Signed(Part):
    """Every request is signed with HMAC."""

    secret: SecretStr
    """what both know"""
    message: str
    """what is signed: {method} {path} (with its query) {url} {timestamp} {nonce} {body}"""
    header: str
    """header that carries the signature"""
    prefix: str = ""
    """what stands before it"""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    """hash"""
    encoding: Literal["hex", "base64", "base64_of_hex"] = "hex"
    """how it is written"""
    timestamp_header: str | None = None
    """header that carries {timestamp}"""
    timestamp_form: Literal["unix", "unix_ms", "iso"] = "unix"
    """how it is written"""
    nonce_header: str | None = None
    """header that carries {nonce}"""

    @model_validator(mode="after")
    def _message(self) -> Signed:
        for wrong in wrong_places(self.message, ("method", "path", "url", "timestamp", "nonce", "body"), ("message",)):
            raise wrong
        return self


class Auth(Part):
    """Exactly one way of proving who we are."""

    basic: Basic | None = None
    """name and password"""
    header: HeaderKey | None = None
    """a key in a header"""
    bearer: Bearer | None = None
    """a token"""
    oauth2: OAuth2 | None = None
    """a token by client credentials"""
    session: Session | None = None
    """a login"""
    signed: Signed | None = None
    """a signature"""

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if len(self.model_fields_set) != 1:
            told = " and ".join(sorted(self.model_fields_set)) or "nothing"
            raise Mistake(f"{told} given", "give exactly one of basic, header, bearer, oauth2, session, signed")
        return self


class WebhookHmac(Part):
    secret: SecretStr
    """what both know"""
    header: str
    """header that carries the signature"""
    message: str = "{body}"
    """what is signed: {body} {timestamp}"""
    prefix: str = ""
    """what stands before the signature"""
    part: str | None = None
    """its name, where the header holds several: t=1700000000,v1=5257a8..."""
    timestamp_part: str | None = None
    """name of {timestamp} among them"""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    """hash"""
    encoding: Literal["hex", "base64", "base64_of_hex"] = "hex"
    """how it is written"""
    timestamp_header: str | None = None
    """header that carries {timestamp}"""
    timestamp_form: Literal["unix", "unix_ms", "iso"] = "unix"
    """how it is written"""
    window: Duration = timedelta(minutes=5)
    """how old a signature with a timestamp may be"""

    @model_validator(mode="after")
    def _message(self) -> WebhookHmac:
        if self.timestamp_part is not None and self.part is None:
            raise Mistake("`timestamp_part` without `part`", "say which part the signature is", ("timestamp_part",))
        known = ("body", "timestamp") if self.timed else ("body",)
        for wrong in wrong_places(self.message, known, ("message",)):
            raise wrong
        if "body" not in placeholders(self.message):
            raise Mistake("{body} is not signed", "a signature that leaves the body out proves nothing", ("message",))
        if self.timed and "timestamp" not in placeholders(self.message):
            raise Mistake("{timestamp} is not signed", "sign it, or leave the timestamp out", ("message",))
        return self

    @property
    def timed(self) -> bool:
        return self.timestamp_header is not None or self.timestamp_part is not None


class WebhookToken(Part):
    secret: SecretStr
    """the token"""
    header: str
    """header that carries it"""
    prefix: str = ""
    """what stands before it"""


class Webhook(Part):
    """What calls `/hooks/CONNECTION`."""

    hmac: WebhookHmac | None = None
    """the body is signed"""
    token: WebhookToken | None = None
    """a secret comes along"""
    unsigned: bool = False
    """nothing proves who calls: every hint costs a read, none is believed"""
    events: str | None = None
    """where the list of events lies; nothing: the body is one, or a list of them"""
    kind: str | None = None
    """where the name of the object lies; nothing: there is one kind only"""
    id: str
    """where the record's id lies"""
    record: str | None = None
    """where the record lies, empty for the event itself"""
    complete: bool = False
    """the record is whole and has its version or change time, so that it replaces the read"""
    complete_when: Condition | None = None
    """what the event says when that is so, where it is not always"""

    @model_validator(mode="after")
    def _one(self) -> Webhook:
        ways = [name for name in ("hmac", "token", "unsigned") if getattr(self, name)]
        if len(ways) != 1:
            raise Mistake(f"{' and '.join(ways) or 'nothing'} given", "give exactly one of hmac, token, unsigned: true")
        if self.complete and self.unsigned:
            raise Mistake("an unsigned webhook cannot be complete", "anybody could send us a record: use hmac or token")
        if self.complete and self.record is None:
            raise Mistake("`complete` without `record`", 'say where the record lies, `record: ""` for the event itself')
        return self
