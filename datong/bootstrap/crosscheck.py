"""What no single entry of the configuration can know: whether the entries fit each other, the records, the world.

Pure functions from the configuration to findings; nothing is asked of a system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from datong.base import secrets
from datong.base.expression import compiled
from datong.bootstrap.mistakes import Finding, meant, suggestion
from datong.bootstrap.models import CompanyConfig, Config, ConnectionConfig, is_secret_name
from datong.bootstrap.yaml import Steps
from datong.canon.catalogue import KINDS, catalogue, pattern, spec
from datong.canon.records import REFERENCE_KINDS
from datong.mapping.override import compile_expression


@dataclass(frozen=True)
class Known:
    """What there is beside the configuration. `connections` names those with mistakes too, so that a mistake is
    told once, and `custom` does so for custom fields (kind -> names). `flows` is flow name -> kind. `broken`: a
    connection could not be understood, so that what is missing may be in it."""

    flows: Mapping[str, str]
    connections: frozenset[str]
    custom: Mapping[str, frozenset[str]] = field(default_factory=dict)
    broken: bool = False


def crosscheck(config: Config, known: Known) -> list[Finding]:
    checks: tuple[Callable[[Config, Known], Iterable[Finding]], ...] = (
        loops,
        places_and_currencies,
        companies,
        flow_names,
        roles_of_flows,
        flow_fields,
        scopes,
        custom_kinds,
        maps,
        tables,
        people,
        approvers,
        store_secret,
    )
    return [finding for check in checks for finding in check(config, known)]


# Connections.


def loops(config: Config, known: Known) -> Iterator[Finding]:
    """Two connections that reach one database would feed each other for ever."""
    seen: dict[Any, str] = {}
    for name, connection in config.connections.items():
        identity = _identity(connection)
        if identity is None:
            continue
        first = seen.setdefault(identity, name)
        if first != name:
            yield Finding(
                ("connections", name),
                f"{name} and {first} point to the same database, so every change would come back as a new one",
                "remove one of the two; one connection may keep several companies",
            )


_TENANTS = (
    "database",
    "db",
    "tenant",
    "organisation",
    "organization",
    "org",
    "account",
    "account_id",
    "instance",
    "site",
)


def _identity(connection: ConnectionConfig) -> Any:
    """Address and database; where the system has no databases, address and secrets. None when there is no address."""
    settings = connection.settings
    url = next((settings[n] for n in ("url", "base_url", "address", "host") if isinstance(settings.get(n), str)), None)
    if url is None:
        return None
    tenants = tuple((n, str(settings[n])) for n in _TENANTS if n in settings)
    proofs = () if tenants else tuple(sorted(str(v) for n, v in settings.items() if is_secret_name(n)))
    return _address(url), tenants, proofs


def _address(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:  # no address: the connector will say so
        return url
    if not parts.hostname:
        return url.strip().rstrip("/")
    port = None if (parts.scheme.lower(), port) in (("https", 443), ("http", 80)) else port
    return f"{parts.hostname}:{port or ''}{parts.path.rstrip('/')}"


def places_and_currencies(config: Config, known: Known) -> Iterator[Finding]:
    for name, connection in config.connections.items():
        at: tuple[str, ...] = ("connections", name)
        yield from _zone(connection.time_zone, (*at, "time_zone"))
        for code, company in connection.companies.items():
            yield from _zone(company.time_zone, (*at, "companies", code, "time_zone"))
            yield from _currency(company.currency, (*at, "companies", code, "currency"))


@cache
def _is_zone(name: str) -> bool:
    """Without a look at all the zones that there are."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone(name: str | None, at: tuple[str, ...]) -> Iterator[Finding]:
    if name is not None and not _is_zone(name):
        found = None if re.search(r"\d", name) else meant(name, available_timezones())
        remedy = f"did you mean {found}?" if found else "write area and city, such as Asia/Shanghai or Europe/Paris"
        yield Finding(at, f"there is no time zone {name}", remedy)


_CALLED = {"RMB": "CNY", "CNH": "CNY", "NTD": "TWD", "￥": "CNY", "¥": "CNY", "€": "EUR", "$": "USD"}


@cache
def _currencies() -> frozenset[str]:
    import pycountry

    return frozenset(one.alpha_3 for one in pycountry.currencies)


def _currency(code: str | None, at: tuple[str, ...]) -> Iterator[Finding]:
    if code is None or code in _currencies():
        return
    found = _CALLED.get(code.upper()) or meant(code, _currencies())
    remedy = f"did you mean {found}?" if found else "write the three letters of ISO 4217, such as CNY or EUR"
    yield Finding(at, f"{code} is not a currency of ISO 4217", remedy)


def companies(config: Config, known: Known) -> Iterator[Finding]:
    """One code, one company; one system keeps its books."""
    keepers: dict[tuple[str, str], str] = {}
    spellings: dict[str, str] = {}
    facts: dict[tuple[str, str], tuple[str, str]] = {}
    for name, connection in config.connections.items():
        yield from _same_ids(name, connection)
        for code, company in connection.companies.items():
            at = ("connections", name, "companies", code)
            first = keepers.setdefault((connection.role, code.lower()), name)
            if first != name and connection.role == "erp":
                cause = f"the company {code} is kept by {first} already, which is erp as well"
                yield Finding(at, cause, "give the books of each company to one connection")
            spelling = spellings.setdefault(code.lower(), code)
            if spelling != code:
                yield Finding(at, f"the company codes {spelling} and {code} differ in case only", f"write {spelling}")
            for fact, told in _facts(company):
                other, before = facts.setdefault((code, fact), (name, told))
                if told != before:
                    cause = f"{fact} of the company {code} is {told} here, and {before} in {other}"
                    yield Finding((*at, fact), cause, "write the same in both")


def _facts(company: CompanyConfig) -> Iterator[tuple[str, str]]:
    """What must be the same wherever the company is named; what is wrong in itself is told elsewhere."""
    if company.currency in _currencies():
        yield "currency", str(company.currency)
    if company.time_zone is not None and _is_zone(company.time_zone):
        yield "time_zone", str(company.time_zone)


def _same_ids(name: str, connection: ConnectionConfig) -> Iterator[Finding]:
    ids: dict[str, str] = {}
    for code, company in connection.companies.items():
        if company.id is None:
            continue
        first = ids.setdefault(str(company.id), code)
        if first != code:
            cause = f"the companies {first} and {code} have the same id {company.id}"
            yield Finding(("connections", name, "companies", code, "id"), cause, "correct one of the two")


# Flows.


def kinds_of(flow: str, flows: Mapping[str, str]) -> tuple[str, ...]:
    """The kinds a flow carries; reference data are many. Empty for an unknown flow."""
    if flow not in flows:
        return ()
    return (flows[flow],) if flows[flow] in KINDS else REFERENCE_KINDS


def flow_names(config: Config, known: Known) -> Iterator[Finding]:
    for name in config.flows:
        if name not in known.flows:
            yield Finding(("flows", name), f"there is no flow {name}", suggestion(name, known.flows))


def roles_of_flows(config: Config, known: Known) -> Iterator[Finding]:
    """A flow joins two roles: each needs a connection. What customers write comes from a desk, and leaves by one."""
    needing = [name for name, flow in config.flows.items() if flow.on and name in known.flows]
    if not needing or known.broken:
        return
    held = {connection.role for connection in config.connections.values()}
    written = [name for name in needing if known.flows[name] in ("request", "notice")]
    for role, names in (("crm", needing), ("erp", needing), ("desk", written)):
        if names and role not in held:
            cause = f"no connection has the role {role}, which {', '.join(names)} must have"
            yield Finding(("flows", names[0]), cause, f"add a connection with `role: {role}`, or switch the flow off")


def flow_fields(config: Config, known: Known) -> Iterator[Finding]:
    for flow_name, flow in config.flows.items():
        kinds = kinds_of(flow_name, known.flows)
        named: list[tuple[Steps, str]] = [(("fields", name), name) for name in flow.fields]
        named += [(("followers", number), name) for number, name in enumerate(flow.followers)]
        for steps, name in named:
            wrong = _unknown_field(config, known, kinds, name) if kinds else None
            if wrong:
                yield Finding(("flows", flow_name, *steps), *wrong)


def _unknown_field(config: Config, known: Known, kinds: Iterable[str], name: str) -> tuple[str, str] | None:
    """Cause and remedy where none of the kinds has the field."""
    wrong: tuple[str, str] | None = None
    for kind in kinds:
        wrong = _unknown_in(config, known, kind, name)
        if wrong is None:
            return None
    return wrong


def _unknown_in(config: Config, known: Known, kind: str, name: str) -> tuple[str, str] | None:
    head, _, rest = name.partition(".")
    if head == "custom":
        return _undeclared(known, kind, rest)
    if name in _groups(kind):
        return None
    try:
        spec(kind, name)
    except KeyError:
        return f"{kind} has no field {name}", suggestion(name, _names(known, kind))
    code = rest.partition(".")[0]
    codes = {one for connection in config.connections.values() for one in connection.companies}
    if head == "company" and rest and code != "*" and code not in codes and not known.broken:
        return f"no connection has the company {code}", suggestion(code, {*codes, "*"})
    return None


def _undeclared(known: Known, kind: str, label: str) -> tuple[str, str] | None:
    declared = known.custom.get(kind, frozenset())
    if label in declared:
        return None
    found = meant(label, declared)
    remedy = (
        f"did you mean custom.{found}?"
        if found
        else f"declare it: `custom: {{{kind}: {{{label}: {{label_en: ..., label_zh: ...}}}}}}`"
    )
    return f"{kind} has no custom field {label}", remedy


def _names(known: Known, kind: str) -> list[str]:
    return [*catalogue(kind), *(f"custom.{name}" for name in known.custom.get(kind, ()))]


@cache
def _groups(kind: str) -> frozenset[str]:
    """`company` and `addresses`: names that stand for all fields below them."""
    return frozenset(name.partition(".")[0] for name in catalogue(kind) if "." in name)


# Expressions.


def scope_variable(kind: str) -> str:
    """The name of the record in a scope: its kind; `record` where a flow carries several kinds."""
    return kind if kind in KINDS else "record"


def scopes(config: Config, known: Known) -> Iterator[Finding]:
    for name, flow in config.flows.items():
        if name not in known.flows:
            continue
        if flow.scope is not None:
            yield from _question(config, known, name, flow.scope, ("flows", name, "scope"))
        for connection, source in flow.into.items():
            at = ("flows", name, "into", connection)
            if connection not in config.connections:
                yield Finding(at, f"there is no connection {connection}", suggestion(connection, config.connections))
            yield from _question(config, known, name, source, at)
        ours = {code for connection in config.connections.values() for code in connection.companies}
        for company, source in flow.companies.items():
            at = ("flows", name, "companies", company)
            if company not in ours:
                yield Finding(at, f"no connection has a company {company}", suggestion(company, ours))
            yield from _question(config, known, name, source, at)


def _question(config: Config, known: Known, name: str, source: str, at: tuple[str, ...]) -> Iterator[Finding]:
    variable = scope_variable(known.flows[name])
    error = _not_compiling(source, variable)
    if error is not None:
        yield Finding(at, error, _expression_remedy(error, variable))
        return
    for used in fields_used(source, variable):
        wrong = _unknown_field(config, known, kinds_of(name, known.flows), used)
        if wrong:
            yield Finding(at, *wrong)


def _not_compiling(source: str, variable: str) -> str | None:
    variables = ((variable, "any"),)
    try:
        compiled(source, variables)
    except ValueError as error:
        return _brief(error)
    try:
        compiled(f"({source}\n) ? true : false", variables)
    except ValueError:
        return "the expression is not a question: its answer is not true or false"
    return None


def _brief(error: ValueError) -> str:
    """The first message of the compiler, with its position."""
    found = re.search(r"<input>:(\d+):(\d+): (.*)", str(error))
    if not found:
        return f"the expression cannot be compiled: {error}"
    message = found[3].replace(" (in container '')", "").removesuffix(" [INVALID_ARGUMENT]")
    return f"the expression is wrong at character {found[2]}: {message}"


def _expression_remedy(error: str, variable: str) -> str:
    found = re.search(r"undeclared reference to '([^'.]+)", error)
    if found:
        return f"the only name here is {variable}: write {variable}.FIELD, or put a text in quotes"
    return f"correct it; an example: {variable}.active == true"


_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*)|(?P<text>[rRbB]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"))"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<sign>\.\?|[^\s\w]|\d[\w.]*)""",
    re.DOTALL,
)


def fields_used(source: str, variable: str) -> list[str]:
    """The fields of `variable` that an expression names: `account.country`, `account.company["asia"].terms`."""
    tokens = [match for match in _TOKEN.finditer(source) if match.lastgroup != "comment"]
    found: dict[str, None] = {}
    for number, token in enumerate(tokens):
        before = tokens[number - 1][0] if number else ""
        if token[0] == variable and token.lastgroup == "name" and before != ".":
            steps = list(_steps([(t.lastgroup or "", t[0]) for t in tokens[number + 1 :]]))
            if steps:
                found[".".join(steps)] = None
    return list(found)


def _steps(after: list[tuple[str, str]]) -> Iterator[str]:
    """`.name`, `.?name` and `["name"]` as far as they go; a name before `(` is a method."""
    rest = after
    while len(rest) >= 2:
        sign, (kind, word) = rest[0][1], rest[1]
        if sign in (".", ".?") and kind == "name" and not (len(rest) > 2 and rest[2][1] == "("):
            yield word
            rest = rest[2:]
        elif sign == "[" and kind == "text" and len(rest) > 2 and rest[2][1] == "]":
            yield word.strip("rRbB").strip("'\"")
            rest = rest[3:]
        else:
            return


# Maps and value tables.


def custom_kinds(config: Config, known: Known) -> Iterator[Finding]:
    for kind in config.custom:
        if kind not in KINDS:
            yield Finding(("custom", kind), f"there is no kind of record {kind}", suggestion(kind, KINDS))


def maps(config: Config, known: Known) -> Iterator[Finding]:
    for connection, by_kind in config.maps.items():
        if connection not in known.connections:
            yield Finding(
                ("maps", connection), f"there is no connection {connection}", suggestion(connection, known.connections)
            )
        for kind, overrides in by_kind.items():
            if kind not in KINDS:
                yield Finding(("maps", connection, kind), f"there is no kind of record {kind}", suggestion(kind, KINDS))
                continue
            for name in overrides:
                wrong = _unknown_in(config, known, kind, name)
                if wrong:
                    yield Finding(("maps", connection, kind, name), *wrong)
    yield from _map_expressions(config)


def _map_expressions(config: Config) -> Iterator[Finding]:
    for connection, by_kind in config.maps.items():
        for kind, overrides in by_kind.items():
            for name, override in overrides.items():
                for way in ("read", "write"):
                    source = getattr(override, way)
                    try:
                        if source is not None:
                            compile_expression(source)
                    except ValueError as error:
                        cause = _brief(error)
                        at = ("maps", connection, kind, name, way)
                        yield Finding(at, cause, _expression_remedy(cause, "value").replace("value.FIELD", "value"))


def plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


PLURALS = {plural(kind): kind for kind in REFERENCE_KINDS}


def tables(config: Config, known: Known) -> Iterator[Finding]:
    known_names = _table_names(known)
    for connection, by_name in config.values.items():
        if connection not in known.connections:
            yield Finding(
                ("values", connection),
                f"there is no connection {connection}",
                suggestion(connection, known.connections),
            )
        for name, table in by_name.items():
            at = ("values", connection, name)
            if pattern(name) not in known_names:
                cause = f"{name} is neither a field nor a kind of reference data"
                yield Finding(at, cause, suggestion(name, known_names))
            else:
                yield from _choices(at, table, known_names[pattern(name)])


def _table_names(known: Known) -> dict[str, frozenset[str]]:
    """Every name that a value table may have, with the values it may give (empty: any)."""
    names: dict[str, frozenset[str]] = {}
    for kind in KINDS:
        for name, one in catalogue(kind).items():
            names[name] = names.get(name, frozenset()) | frozenset(one.choices)
        names |= {f"custom.{name}": frozenset() for name in known.custom.get(kind, ())}
    return names | dict.fromkeys((*REFERENCE_KINDS, *PLURALS), frozenset())


def _choices(at: tuple[str, ...], table: Mapping[str, str], choices: frozenset[str]) -> Iterator[Finding]:
    for wire, ours in table.items():
        if choices and ours not in choices:
            yield Finding((*at, wire), f"{ours} is not a value of {at[-1]}", suggestion(ours, choices))


# People and store.


def people(config: Config, known: Known) -> Iterator[Finding]:
    owners: dict[str, str] = {}
    for name, person in config.people.items():
        for account in person.os_user or ():
            first = owners.setdefault(account, name)
            if first != name:
                cause = f"the account {account} belongs to {first} already"
                yield Finding(("people", name, "os_user"), cause, "give each account to one person")


_ROLES = ("viewer", "operator", "approver", "admin")


def approvers(config: Config, known: Known) -> Iterator[Finding]:
    """Who is asked must be a role, or somebody named under `people`."""
    asked: list[tuple[Steps, str]] = []
    if config.plans.approve is not None:
        asked.append((("plans", "approve", "by"), config.plans.approve.by))
    if config.plans.configuration is not None:
        asked.append((("plans", "configuration"), config.plans.configuration))
    asked += [(("flows", name, "approve", "by"), one.approve.by) for name, one in config.flows.items() if one.approve]
    places = config.connections.items()
    asked += [(("connections", name, "approve", "by"), one.approve.by) for name, one in places if one.approve]
    for at, by in asked:
        if by not in (*_ROLES, *config.people):
            remedy = suggestion(by, {*_ROLES, *config.people})
            yield Finding(at, f"{by} is neither a role nor a person", remedy)


def store_secret(config: Config, known: Known) -> Iterator[Finding]:
    if has_password(config.store.url):
        yield Finding(("store", "url"), "a password in clear", "write `url: ${env:DATONG_STORE}` and set it there")


def has_password(url: str) -> bool:
    """Whether an address carries a password."""
    try:
        return not secrets.is_reference(url) and "://" in url and bool(urlsplit(url).password)
    except ValueError:
        return False
