"""A policy as a file that IT edits, TOML or JSON, and back: what is written is understood in full, or refused.

Number, dates and organisation are no part of it: they come with the signature. What a file leaves out stays as it is
in force; rows are taken as a whole.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sync.protocol import strict
from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError
from sync.protocol.joins import listed
from sync.protocol.texts import gettext as _

FILE_MAX: Final = strict.DOCUMENT_MAX
_GIVEN: Final = ("type", "v", "crit", "version", "org", "issued", "expires", "prev_hash")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_EXAMPLE: Final = (
    "[[rules]]",
    'signal = "app_version"',
    'condition = { below = "0.2.0" }',
    'action = "warn"',
    'on_unknown = "warn"',
)
_MORE: Final = frozenset({"rules"})  # what has parts of its own, looked at row by row (soundness.py)


def parts_of(policy: Policy) -> dict[str, Any]:
    """What IT decides, without what comes with the signature."""
    found: dict[str, Any] = msgspec.to_builtins(policy)
    return {name: value for name, value in found.items() if name not in _GIVEN}


def to_json(policy: Policy) -> str:
    """The parts as JSON."""
    return json.dumps(parts_of(policy), ensure_ascii=False, indent=2) + "\n"


def to_toml(policy: Policy) -> str:
    """The parts as TOML: plain values first, then tables, then rows."""
    parts = parts_of(policy)
    lines = [
        _("# The policy in force, number {n}. Edit it, try it, publish it:").format(n=policy.version),
        "#   fieldkeep-admin --data DIR policy try FILE",
        "#   fieldkeep-admin --data DIR --keys DIR policy publish FILE",
        "",
    ]
    tables = {name: value for name, value in parts.items() if isinstance(value, dict)}
    rows = {name: value for name, value in parts.items() if _is_rows(value)}
    plain = {name: value for name, value in parts.items() if name not in (*tables, *rows, *_MORE)}
    lines += [f"{name} = {_toml(value)}" for name, value in plain.items()]
    for name, value in tables.items():
        lines += ["", f"[{name}]", *(f"{_key(key)} = {_toml(each)}" for key, each in value.items())]
    for name, value in rows.items():
        for row in value:
            lines += ["", f"[[{name}]]", *(f"{_key(key)} = {_toml(each)}" for key, each in row.items())]
    if not policy.rules:
        lines += ["", *(f"# {line}" for line in _EXAMPLE)]
    return "\n".join(lines) + "\n"


def read(data: bytes, in_force: Policy, *, as_json: bool) -> Policy:
    """The policy that a file describes, with the number and the dates of the one in force. Raises KnownError."""
    if len(data) > FILE_MAX:
        raise KnownError(_("The file is too large for a policy."))
    said = _parsed(data, as_json=as_json)
    _refuse_unknown("", said, msgspec.to_builtins(in_force))
    known = msgspec.to_builtins(in_force)
    for name, value in said.items():
        known[name] = {**known[name], **value} if _is_table(known.get(name)) and _is_table(value) else value
    try:
        return msgspec.convert(known, Policy, strict=True)
    except msgspec.ValidationError as problem:
        raise KnownError(_("The policy has a value of another form."), str(problem)[:300]) from None


def _parsed(data: bytes, *, as_json: bool) -> dict[str, Any]:
    try:
        text = data.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once) if as_json else tomllib.loads(text)
    except (ValueError, RecursionError) as problem:
        raise KnownError(
            _("The file is no {form}.").format(form="JSON" if as_json else "TOML"), str(problem)[:300]
        ) from None
    if not isinstance(found, dict):
        raise KnownError(_("The file holds no policy."))
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _refuse_unknown(within: str, said: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """A name with a slip in it must not be passed over: it is what IT wanted. Raises KnownError."""
    for name, value in said.items():
        if name not in known or (not within and name in _GIVEN):
            names = [each for each in known if within or each not in _GIVEN]
            raise KnownError(
                _("A policy has nothing that is called “{name}”.").format(name=f"{within}{name}"[:80]),
                _("There are: {words}").format(words=listed(names)),
            )
        if _is_table(value) and _is_table(known[name]) and name not in _MORE:
            _refuse_unknown(f"{name}.", value, known[name])


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    # A JSON string is a TOML string, but for the delete character.
    return (
        json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        if isinstance(value, str)
        else str(value)
    )
