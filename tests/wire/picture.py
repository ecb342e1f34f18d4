"""Draws the wire as the code has it now: structs, tags, paths, limits, answers, and the table of kinds as it travels.

`python -m tests.wire.picture` writes the picture anew, after somebody decided that the wire changes.
"""

from __future__ import annotations

import enum
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from sync.protocol import (
    codec,
    digest,
    documents,
    errors,
    fields,
    merge,
    messages,
    ops,
    outbox_seal,
    policy_parts,
    signing,
    version,
)
from sync.protocol.fields import Choice, Field, Integer, Several, Text
from sync.protocol.kinds import KINDS

PLACE: Final = Path(__file__).with_name("picture.json")
ROOMS: Final = (messages, ops, codec, documents, policy_parts, signing, outbox_seal)
ENUMS: Final = (errors.Outcome, errors.Rejection, errors.Problem, ops.Act, fields.Merge)


def draw() -> dict[str, Any]:
    """Everything that two versions must agree on, as plain JSON."""
    structs: list[type[msgspec.Struct]] = [struct for room in ROOMS for struct in _structs(room)]
    structs.append(merge.Conflict)
    return {
        "versions": {
            "protocol": version.PROTOCOL,
            "oldest protocol": version.OLDEST_PROTOCOL,
            "schema": version.SCHEMA,
        },
        "paths": _constants(messages, "_PATH"),
        "headers": _constants(messages, "_HEADER"),
        "tags": {name: value for name, value in _constants(messages, "").items() if name in _TAGS},
        "limits": {
            **_constants(codec, "_MAX"),
            **{f"documents.{name}": value for name, value in _constants(documents, "_MAX").items()},
            **{f"fields.{name}": value for name, value in _constants(fields, "_MAX").items()},
            "fields.NOTES_BYTES": fields.NOTES_BYTES,
            **{f"outbox_seal.{name}": value for name, value in _constants(outbox_seal, "_MAX").items()},
            **{name: getattr(messages, name) for name in _LIMITS},
            "buckets": digest.BUCKETS,
            "signatures": signing.SIGNATURES_MAX,
            "media type": codec.MEDIA_TYPE,
        },
        "words": {each.__name__: sorted(member.value for member in each) for each in ENUMS},
        "statuses": {problem.value: errors.STATUS[problem] for problem in errors.Problem},
        "structs": {
            struct.__name__: _struct(struct) for struct in sorted(structs, key=lambda each: each.__name__)
        },
        "kinds": {kind.name: {field.name: _field(field) for field in kind.fields} for kind in KINDS.values()},
    }


_TAGS: Final = ("HEAD", "OP", "RESULT", "CHANGE", "CONFLICT", "PAPER", "PART", "TROUBLE")
_LIMITS: Final = ("COUNTER_WINDOW", "OPS_MAX", "OPS_BYTES_MAX", "PAGE_ROWS", "RECORDS_MAX", "SEALED_PART")


def _structs(room: ModuleType) -> list[type[msgspec.Struct]]:
    return [
        each
        for each in vars(room).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == room.__name__
    ]


def _constants(room: ModuleType, end: str) -> dict[str, Any]:
    return {
        name: value
        for name, value in sorted(vars(room).items())
        if name.isupper() and not name.startswith("_") and name.endswith(end) and isinstance(value, int | str)
    }


def _struct(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """A struct: how it is written, and its fields in order."""
    config = struct.__struct_config__
    drawn: dict[str, Any] = {"written as": "array" if config.array_like else "map"}
    if config.omit_defaults:
        drawn["defaults"] = "left out"
    if issubclass(struct, documents.Document):
        drawn["type"] = struct.TYPE
    drawn["fields"] = {field.encode_name: _described(field) for field in msgspec.structs.fields(struct)}
    return drawn


def _described(field: msgspec.structs.FieldInfo) -> str:
    word = _word(field.type)
    if field.required:
        return word
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(default, msgspec.Struct):
        return f"{word} = {type(default).__name__}()"
    return f"{word} = {default.value if isinstance(default, enum.Enum) else default!r}"


def _word(type_: Any) -> str:
    """A type as it is written in the code, without the rooms it comes from."""
    plain = type_.__name__ if isinstance(type_, type) and not hasattr(type_, "__args__") else str(type_)
    return re.sub(r"\b\w+\.(?=\w)", "", plain)


def _field(field: Field) -> str:
    """A field of a kind: what travels and how it merges; labels and widgets are nobody else's business."""
    type_ = field.type
    more = ""
    if isinstance(type_, Choice):
        more = f"({', '.join(type_.values)})"
    elif isinstance(type_, Integer):
        more = f"({type_.low}..{type_.high})"
    elif isinstance(type_, Text):
        more = f"({type_.limit})"
    elif isinstance(type_, Several):
        more = f"({type_.of})"
    elif getattr(type_, "to", ""):
        more = f"({getattr(type_, 'to', '')})"
    needed = " required" if field.required else ""
    return f"{type(type_).__name__.lower()}{more} {field.rule.value} {field.care.name.lower()}{needed}"


def text() -> str:
    """The picture as it is kept."""
    return json.dumps(draw(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8")
