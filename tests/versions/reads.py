"""Reads messages as a version read them: by the picture of the wire that was drawn then, and by no code of today.

A required field that is gone, another type, a word that is not known: each is what that version would have stumbled
over, and raises. A field that it does not know is passed over, and so is gone from what comes back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from sync.protocol import codec, messages

Picture = dict[str, Any]

HEADS: Final = {
    messages.SESSION_PATH: "SessionReply",
    messages.ENROL_PATH: "EnrolReply",
    messages.EXCHANGE_PATH: "ReplyHead",
    messages.RECEIPT_PATH: "ReceiptReply",
    messages.SEALED_PATH: "PieceReply",
    messages.DIGEST_PATH: "DigestReply",
    messages.BUCKET_PATH: "BucketReply",
    messages.RECORDS_PATH: "RecordsReply",
}
ASKED: Final = {
    messages.EXCHANGE_PATH: "ExchangeHead",
    messages.RECEIPT_PATH: "ReceiptHead",
    messages.SEALED_PATH: "PieceHead",
    messages.DIGEST_PATH: "DigestHead",
    messages.BUCKET_PATH: "BucketHead",
    messages.RECORDS_PATH: "RecordsHead",
}
_TAGGED: Final = {
    "OP": "Op", "RESULT": "OpResult", "CHANGE": "Change", "CONFLICT": "Conflict", "PAPER": "Paper",
    "TROUBLE": "Trouble",
}  # fmt: skip
_PLAIN: Final[dict[str, type | tuple[type, ...]]] = {
    "int": int, "str": str, "bytes": (bytes, str), "bool": bool,
}  # fmt: skip


class NotUnderstood(Exception):
    """That version cannot read this."""


class Reads:
    """What one version reads, and what becomes of it there."""

    def __init__(self, picture: Picture) -> None:
        self._structs = picture["structs"]
        self._words = picture["words"]
        self._tags = {tag: _TAGGED.get(name, "") for name, tag in picture["tags"].items()}
        self.paths = set(picture["paths"].values())

    def knows(self, path: str) -> bool:
        """Whether it asks for this at all."""
        return path in self.paths

    def answer(self, path: str, body: bytes) -> list[tuple[str, Any]]:
        """The frames of an answer, each with what it takes from them."""
        return self._frames(body, HEADS[path])

    def asked(self, path: str, body: bytes) -> list[tuple[str, Any]]:
        """The frames of a request."""
        return self._frames(body, ASKED[path])

    def document(self, type_: str, payload: bytes) -> dict[str, Any]:
        """A signed document's payload; what it must understand and does not is named in `crit`."""
        value = msgspec.json.decode(payload)
        (name,) = [name for name, each in self._structs.items() if each.get("type") == type_]
        unknown = set(value.get("crit", ())) - set(self._structs[name]["fields"])
        if unknown:
            raise NotUnderstood(f"{type_}: must understand {unknown}")
        return self.struct(name, value)

    def struct(self, name: str, value: Any) -> dict[str, Any]:
        """A struct's fields that it knows. Raises NotUnderstood."""
        if not isinstance(value, dict):
            raise NotUnderstood(f"{name}: {value!r}")
        known: dict[str, Any] = {}
        for field, drawn in self._structs[name]["fields"].items():
            word, _equals, default = drawn.partition(" = ")
            if field in value:
                known[field] = self._value(word, value[field], f"{name}.{field}")
            elif not default:
                raise NotUnderstood(f"{name}.{field} is not there")
        return known

    def _frames(self, body: bytes, head: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for tag, raw in codec.decode(body):
            value = msgspec.msgpack.decode(raw)
            if tag == "part":
                found.append((tag, value))
                continue
            name = head if tag == "head" else self._tags.get(tag, "")
            if not name:
                raise NotUnderstood(f"the tag {tag}")
            found.append((tag, self.struct(name, value)))
        return found

    def _value(self, word: str, value: Any, where: str) -> Any:
        if word.endswith(" | None"):
            return None if value is None else self._value(word.removesuffix(" | None"), value, where)
        if word in ("Any", "Raw"):
            return value
        if (several := re.fullmatch(r"list\[(.*)\]", word)) is not None:
            return [self._value(several[1], each, where) for each in self._is(list, value, where)]
        if (pairs := re.fullmatch(r"dict\[(\w+), (.*)\]", word)) is not None:
            of: Callable[[str, Any], Any] = lambda word, each: self._value(word, each, where)  # noqa: E731
            return {
                of(pairs[1], key): of(pairs[2], each) for key, each in self._is(dict, value, where).items()
            }
        if (parts := re.fullmatch(r"tuple\[(.*)\]", word)) is not None:
            words = parts[1].split(", ")
            if len(self._is(list, value, where)) != len(words):
                raise NotUnderstood(f"{where}: {value!r}")
            return [self._value(each, part, where) for each, part in zip(words, value, strict=True)]
        if word in self._words:
            if value not in self._words[word]:
                raise NotUnderstood(f"{where}: the word {value!r}")
            return value
        if word in self._structs:
            return self.struct(word, value)
        return self._is(_PLAIN[word], value, where)

    def _is(self, type_: type | tuple[type, ...], value: Any, where: str) -> Any:
        if not isinstance(value, type_) or (isinstance(value, bool) and type_ is int):
            raise NotUnderstood(f"{where}: {value!r}")
        return value
