"""Plain pages for people: list, search, edit, create, delete, merge. No JavaScript; everything escaped.

A form sends only texts, so a save keeps what did not change and sends the rest the way the API would.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from datong.sandbox.fields import Field, Row
from datong.sandbox.refusals import Key, Merged, NotFound, Refusal, Stale
from datong.sandbox.rows import State
from datong.sandbox.style import STYLE
from datong.sandbox.system import Spec, System

_PAGE_SIZE = 50
_LONG = 24
"""A value of more characters gets a line of its own: it would be cut otherwise."""
_NEW_LINE = "new"
_ACCENT = {"simcrm": "#0b6b5d", "simerp": "#6b3410"}


def pages(system: System) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def home() -> Response:
        return RedirectResponse(f"/ui/{system.merge_object}", 303)

    @router.get("/ui/{object}")
    async def listing(object: str, q: str = "", page: Annotated[int, Query(ge=1)] = 1) -> Response:
        with system.lock:
            return _show(system, object, _listing(system, object, q, page))

    @router.get("/ui/{object}/new")
    async def blank(object: str) -> Response:
        return _show(system, object, _form(system, _spec(system, object), None, {}))

    @router.post("/ui/{object}/new")
    async def create(object: str, request: Request) -> Response:
        sent = await _sent(request)
        return _attempt(system, object, None, sent)

    @router.get("/ui/{object}/{id}")
    async def record(object: str, id: str) -> Response:
        with system.lock:
            try:
                state = system.table(object).get(_key(system, object, id))
            except Merged as merged:
                return RedirectResponse(_address(object, merged.into), 303)
            return _show(system, object, _form(system, _spec(system, object), state, {}))

    @router.post("/ui/{object}/{id}")
    async def save(object: str, id: str, request: Request) -> Response:
        sent = await _sent(request)
        return _attempt(system, object, _key(system, object, id), sent)

    @router.post("/ui/{object}/{id}/step/{name}")
    async def step(object: str, id: str, name: str) -> Response:
        key = _key(system, object, id)
        try:
            system.take_step(object, key, name)
        except Refusal as refusal:
            state = system.table(object).get(key)
            return _show(system, object, _form(system, _spec(system, object), state, {}, str(refusal)), 422)
        return RedirectResponse(_address(object, key), 303)

    @router.post("/ui/{object}/{id}/delete")
    async def delete(object: str, id: str) -> Response:
        system.delete(object, _key(system, object, id))
        return RedirectResponse(f"/ui/{object}", 303)

    @router.post("/ui/{object}/{id}/merge")
    async def merge(object: str, id: str, request: Request) -> Response:
        keep = _key(system, object, id)
        try:
            system.merge(object, keep, _key(system, object, (await _sent(request)).get("loser", "").strip()))
        except Refusal as refusal:
            state = system.table(object).get(keep)
            return _show(system, object, _form(system, _spec(system, object), state, {}, str(refusal)), 422)
        return RedirectResponse(_address(object, keep), 303)

    return router


def _attempt(system: System, object: str, key: Key | None, sent: Mapping[str, str]) -> Response:
    """Saves, and on a refusal shows the form again with what was typed."""
    with system.lock:
        spec = _spec(system, object)
        state = system.table(object).get(key) if key is not None else None
        try:
            if state and sent.get("_version") != str(state.version):
                raise Stale(state.version)
            held = state.data if state else {}
            changes = _changes(spec.fields, held, sent)
            key = system.write(object, key, changes).state.key
        except Refusal as refusal:
            return _show(system, object, _form(system, spec, state, sent, _explain(refusal)), 422)
    return RedirectResponse(_address(object, key), 303)


def _explain(refusal: Refusal) -> str:
    if isinstance(refusal, Stale):
        return f"Somebody else changed this record meanwhile; below is what you typed. 记录已被他人修改。({refusal})"
    return str(refusal)


async def _sent(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def _spec(system: System, object: str) -> Spec:
    system.table(object)
    return system.specs[object]


def _key(system: System, object: str, text: str) -> Key:
    if _spec(system, object).prefix:
        return text
    if not text.isdecimal():
        raise NotFound(text)
    return int(text)


# From a form to changes.


def _changes(fields: Sequence[Field], held: Mapping[str, Any], sent: Mapping[str, str], at: str = "") -> Row:
    """What a form changes: fields that were on it and differ from what is held."""
    changed: Row = {}
    for one in fields:
        path, value = f"{at}{one.name}", held.get(one.name)
        if one.type == "group":
            part = _changes(one.fields, value or {}, sent, f"{path}.")
            if part:
                changed[one.name] = part
        elif one.type == "lines":
            lines = _lines(one, value or [], sent, path)
            if lines is not None:
                changed[one.name] = lines
        elif path in sent and not one.read_only and sent[path] != _text(value):
            changed[one.name] = _typed(one, sent[path])
    return changed


def _lines(one: Field, held: Sequence[Row], sent: Mapping[str, str], at: str) -> list[Row] | None:
    """The whole list when the form changes it, else None."""
    kept: list[Row] = []
    for line in held:
        path = f"{at}.{line[one.line_id]}"
        if f"{path}._remove" not in sent:
            kept.append({one.line_id: line[one.line_id], **_changes(one.fields, line, sent, f"{path}.")})
    added = _changes(one.fields, {field.name: field.default for field in one.fields}, sent, f"{at}.{_NEW_LINE}.")
    if added:
        kept.append(added)
    touched = added or len(kept) != len(held) or any(len(line) > 1 for line in kept)
    return kept if touched else None


def _typed(one: Field, text: str) -> Any:
    if one.type == "bool":
        return {"true": True, "false": False}.get(text)
    return text or None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


# From rows to pages.


def _show(system: System, object: str, body: str, status: int = 200) -> Response:
    spec = _spec(system, object)
    links = "".join(
        f'<a href="/ui/{name}"{" aria-current=page" if name == object else ""}>{escape(one.label)} '
        f"<span class=zh lang=zh>{escape(one.label_zh)}</span></a>"
        for name, one in system.specs.items()
    )
    return HTMLResponse(
        f"<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width,"
        f"initial-scale=1'><title>{escape(spec.label)} · {system.title}</title><style>"
        f"{STYLE.replace('ACCENT', _ACCENT[system.name])}</style></head><body><header><a href=/>{system.title}</a> "
        f"<small lang=zh>{system.title_zh} · sandbox 沙箱</small></header><nav>{links}</nav><main>{body}</main>"
        f"</body></html>",
        status,
        {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"},
    )


def _listing(system: System, object: str, query: str, page: int) -> str:
    spec = _spec(system, object)
    states = list(system.table(object).live.after(0, None, inclusive=True))
    states.reverse()
    if query.strip():
        states = [state for state in states if _holds(state.data, query.strip().casefold())]
    plain = [one for one in spec.fields if one.type not in ("lines", "group")]
    columns = [one for name in spec.columns for one in plain if one.name == name] or plain[:6]
    head = "".join(f"<th>{_label(one)}</th>" for one in columns)
    rows = "".join(
        f"<tr><td><a href='{_address(object, state.key)}'>{escape(str(state.key))}</a></td>"
        + "".join(f"<td>{_cell(system, one, state.data[one.name])}</td>" for one in columns)
        + f"<td>{state.version}</td><td>{escape(_changed(state))}</td></tr>"
        for state in states[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE]
    )
    return (
        f"<h1>{escape(spec.label)} <span class=zh lang=zh>{escape(spec.label_zh)}</span> ({len(states)})</h1>"
        f"<form class=find><input name=q type=search value='{escape(query)}' aria-label='Search 搜索'>"
        f"<button>Search 搜索</button><a class=button href='/ui/{object}/new'>New 新建</a></form>"
        f"<div class=wide><table><thead><tr><th>Id</th>{head}<th>Version <span class=zh>版本</span></th>"
        f"<th>Changed <span class=zh>更新时间</span></th></tr></thead><tbody>{rows}</tbody></table></div>"
        f"<p>{_pager(object, query, page, len(states))}</p>"
    )


def _pager(object: str, query: str, page: int, total: int) -> str:
    def link(number: int, label: str) -> str:
        return f"<a href='/ui/{object}?q={quote(query)}&amp;page={number}'>{label}</a> "

    before = link(page - 1, "← Back 上一页") if page > 1 else ""
    return before + (link(page + 1, "More 下一页 →") if page * _PAGE_SIZE < total else "")


def _form(system: System, spec: Spec, state: State | None, typed: Mapping[str, str], note: str = "") -> str:
    """The record as a form; what was typed before a refusal stays."""
    held = state.data if state else {}
    title = escape(_text(held.get(spec.title))) or f"New {spec.singular} 新建"
    meta = f"<p class=meta>{state.key} · version 版本 {state.version} · {escape(_changed(state))}</p>" if state else ""
    inputs = "".join(_field(system, one, held.get(one.name, one.default), typed, one.name) for one in spec.fields)
    version = (
        f"<input type=hidden name=_version value='{typed.get('_version') if note and typed else state.version}'>"
        if state
        else ""
    )
    return (
        f"<h1>{title}</h1>{meta}{f'<p class=note role=alert>{escape(note)}</p>' if note else ''}"
        f"{''.join(_overview(system, one, held.get(one.name)) for one in spec.fields if one.type == 'lines')}"
        f"<form method=post>{version}<fieldset><legend>{escape(spec.label)} "
        f"<span class=zh>{escape(spec.label_zh)}</span>"
        f"</legend>{inputs}</fieldset><button>Save 保存</button></form>"
        + (_steps(system, spec, state) + _related(system, spec, state) + _removal(system, spec, state) if state else "")
    )


def _overview(system: System, one: Field, lines: Sequence[Row] | None) -> str:
    """The lines as a table to read, with the columns that hold something."""
    if not lines:
        return ""
    columns = [part for part in one.fields if any(line.get(part.name) not in (None, "") for line in lines)]
    head = "".join(f"<th>{_label(part)}</th>" for part in columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_cell(system, part, line.get(part.name))}</td>" for part in columns) + "</tr>"
        for line in lines
    )
    return (
        f"<h2>{_label(one)} ({len(lines)})</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _field(system: System, one: Field, value: Any, typed: Mapping[str, str], path: str) -> str:
    if one.type == "group":
        inner = "".join(
            _field(system, part, (value or {}).get(part.name, part.default), typed, f"{path}.{part.name}")
            for part in one.fields
        )
        return f"<fieldset><legend>{_label(one)}</legend>{inner}</fieldset>"
    if one.type == "lines":
        return "".join(_line(system, one, line, typed, path) for line in [*(value or []), {}])
    text = typed.get(path, _text(value))
    long = " class=long" if len(text) > _LONG else ""
    return f"<label{long}><span>{_label(one)}{_jump(system, one, value)}</span>{_input(one, text, path)}</label>"


def _line(system: System, one: Field, line: Row, typed: Mapping[str, str], path: str) -> str:
    key = line.get(one.line_id, _NEW_LINE)
    at = f"{path}.{key}"
    inner = "".join(
        _field(system, part, line.get(part.name, part.default), typed, f"{at}.{part.name}") for part in one.fields
    )
    remove = f"<label><input type=checkbox name='{escape(at)}._remove'> Remove 删除</label>" if line else ""
    return f"<fieldset><legend>{_label(one)} {escape(str(key))}</legend>{inner}{remove}</fieldset>"


def _input(one: Field, text: str, path: str) -> str:
    name = f"name='{escape(path)}'"
    if one.read_only:
        return f"<input {name} value='{escape(text)}' readonly>"
    choices = ("", "true", "false") if one.type == "bool" else ("", *one.options) if one.options else ()
    if not choices:
        required = " required" if one.required else ""
        return f"<input {name} value='{escape(text)}'{required}>"
    options = "".join(f"<option{' selected' if choice == text else ''}>{choice}</option>" for choice in choices)
    return f"<select {name}>{options}</select>"


def _related(system: System, spec: Spec, state: State) -> str:
    """What points to this record."""
    links = [
        f"<li>{escape(other.label)}: "
        f"<a href='{_address(name, row.key)}'>{escape(_text(row.data[other.title]))}</a></li>"
        for name, other in system.specs.items()
        for one in other.fields
        if one.ref == spec.name and one.ref_by == "id"
        for row in system.table(name).live.find(one.name, state.key)[:20]
    ]
    return f"<details open><summary>Related 相关</summary><ul>{''.join(links)}</ul></details>" if links else ""


def _steps(system: System, spec: Spec, state: State) -> str:
    address = _address(spec.name, state.key)
    return "".join(
        f"<form method=post action='{address}/step/{one.name}'><p><button>{escape(one.label)} "
        f"{escape(one.label_zh)}</button></p></form>"
        for one in system.steps(spec.name, state.data)
    )


def _removal(system: System, spec: Spec, state: State) -> str:
    address = _address(spec.name, state.key)
    merge = (
        f"<details><summary>Merge 合并</summary><form method=post action='{address}/merge'><label>"
        f"<span>Id of the record that goes into this one 被合并的记录</span><input name=loser required></label>"
        f"<p><button>Merge 合并</button></p></form></details>"
    )
    delete = (
        f"<details><summary>Delete 删除</summary><form method=post action='{address}/delete'><p>This cannot be undone. "
        f"此操作不可撤销。</p><button class=bad>Delete 删除</button></form></details>"
    )
    return (merge if spec.name == system.merge_object else "") + delete


def _label(one: Field) -> str:
    return f"{escape(one.label or one.name)} <span class=zh lang=zh>{escape(one.label_zh)}</span>"


def _cell(system: System, one: Field, value: Any) -> str:
    return (_jump(system, one, value) if one.ref and one.ref_by == "id" else "") or escape(_text(value))


def _jump(system: System, one: Field, value: Any) -> str:
    """A link to the row a reference points to."""
    if not one.ref or one.ref_by != "id" or value is None:
        return ""
    target = system.table(one.ref).live.states.get(value)
    name = _text(target.data[system.specs[one.ref].title]) if target else str(value)
    return f" <a href='{_address(one.ref, value)}'>{escape(name)}</a>"


def _changed(state: State) -> str:
    stamp = _text(state.data.get("updated_at") or state.data.get("modifiedAt"))
    return stamp[:19].replace("T", " ")


def _address(object: str, key: Key) -> str:
    return f"/ui/{object}/{quote(str(key))}"


def _holds(data: Any, needle: str) -> bool:
    return any(needle in _text(value).casefold() for value in _leaves(data))


def _leaves(data: Any) -> Iterator[Any]:
    if isinstance(data, dict):
        for value in data.values():
            yield from _leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value)
    else:
        yield data
