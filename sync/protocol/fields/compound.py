"""Types that hold several things: the parts of an address, labelled values one by one, a set of tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import msgspec

from sync.protocol.errors import FieldProblem
from sync.protocol.fields.base import ELEMENTS_MAX, INT_MAX, FieldType, Merge, Value
from sync.protocol.fields.plain import Text
from sync.protocol.ids import ELEMENT_BYTES, new_element_id
from sync.protocol.texts import gettext as _

_ENCODER: Final = msgspec.json.Encoder()

_DECODER: Final = msgspec.json.Decoder()

ADDRESS_PARTS: Final = ("street", "postcode", "city", "region", "country")
_PARTS: Final = frozenset(ADDRESS_PARTS)
_ELEMENT: Final = frozenset(("id", "label", "value"))
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_DIGEST_BYTES: Final = 32
_KEY_BYTES: Final = 32
_CONTENT: Final = frozenset(("sha256", "size", "key"))
_KEY: Final = re.compile(f"[0-9a-f]{{{2 * ELEMENT_BYTES}}}")
_TEXT: Final = Text()
_LABEL: Final = Text(limit=40)
_TAG: Final = Text(limit=60)


class Address(FieldType, frozen=True):
    """A postal address of five parts, merged whole."""

    editor: ClassVar[str] = "address"

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if not isinstance(value, Mapping) or not _PARTS.issuperset(value):
            raise FieldProblem(
                name,
                _("This field holds an address."),
                _("Parts: {parts}").format(parts=", ".join(ADDRESS_PARTS)),
            )
        parts = {}
        for part in ADDRESS_PARTS:
            if part in value and (text := _TEXT.check(name, value[part])):
                parts[part] = text
        return parts or None

    def parse(self, name: str, text: str) -> Value:
        return self.check(name, {"street": text})

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        if value is not None and not all(isinstance(part, str) for part in value.values()):
            raise TypeError
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return tuple((value or {}).values())


class Several(FieldType, frozen=True):
    """Several labelled values (phones, e-mails, web addresses): a list of {id, label, value} in entry order."""

    editor: ClassVar[str] = "several"
    several: ClassVar[bool] = True
    merge: ClassVar[Merge] = Merge.UNION
    of: str = "text"  # "phone", "email", "url": how a value is checked, dialled and searched
    labels: tuple[str, ...] = ("work", "mobile", "home", "other")

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, str):
            value = [{"value": value}]
        if not isinstance(value, (list, tuple)):
            raise FieldProblem(name, _("This field holds a list of values."))
        if len(value) > ELEMENTS_MAX:
            raise FieldProblem(name, _("At most {limit} values.").format(limit=ELEMENTS_MAX))
        elements = [element for item in value if (element := self.element(name, item))]
        if len({element["id"] for element in elements}) != len(elements):
            # Each is a cell of its own: of two with one id, one would vanish.
            raise FieldProblem(name, _("Two values have the same id."))
        return elements or None

    def element(self, name: str, item: Value) -> Value:
        """One element made exact, with an id of its own; None when it is empty."""
        if isinstance(item, str):
            item = {"value": item}
        if not isinstance(item, Mapping) or not _ELEMENT.issuperset(item):
            raise FieldProblem(name, _("A value has a label and a text."))
        text = _TEXT.check(name, item.get("value"))
        label = _LABEL.check(name, item.get("label")) or ""
        if text is None:
            return None
        if self.of == "email" and not _EMAIL.fullmatch(text):
            raise FieldProblem(name, _("Not an e-mail address."), _("Write it as name@example.com."))
        key = item.get("id") or new_element_id()
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise FieldProblem(name, _("An element has no proper id."))
        return {"id": key, "label": label, "value": text}

    def parse(self, name: str, text: str) -> Value:
        parts = [part for part in re.split(r"\s*[;\n]\s*", text) if part.strip()]
        return self.check(name, [{"value": part} for part in parts])

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return [element["value"] for element in value or ()]

    def cells(self, name: str, value: Value) -> dict[str, Value]:
        return {
            f"{name}/{element['id']}": {"label": element["label"], "value": element["value"]}
            for element in value or ()
        }


class Tags(FieldType, frozen=True):
    """A set of short words, kept sorted."""

    editor: ClassVar[str] = "tags"
    several: ClassVar[bool] = True
    merge: ClassVar[Merge] = Merge.UNION

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, (list, tuple, set)) or len(value) > ELEMENTS_MAX:
            raise FieldProblem(name, _("At most {limit} values.").format(limit=ELEMENTS_MAX))
        tags = {_TAG.check(name, tag) for tag in value}
        return sorted(tag for tag in tags if tag) or None

    def parse(self, name: str, text: str) -> Value:
        return self.check(name, [part for part in re.split(r"[;,，；\n]", text) if part.strip()])

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (_json(value),)

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        return _unjson(columns[0])

    def words(self, value: Value) -> Iterable[str]:
        return tuple(value or ())

    def cells(self, name: str, value: Value) -> dict[str, Value]:
        return {f"{name}/{tag}": True for tag in value or ()}


def _json(value: Value) -> str | None:
    return None if value is None else _ENCODER.encode(value).decode()


def _unjson(text: str | None) -> Value:
    return None if text is None else _DECODER.decode(text)


class Content(FieldType, frozen=True):
    """A file that lies encrypted beside the records: the digest of what lies there, the size of the file, and the key
    that opens it and no other. Merged whole.
    """

    editor: ClassVar[str] = "content"
    merge: ClassVar[Merge] = Merge.HOLD
    sql: ClassVar[tuple[tuple[str, str], ...]] = (("", "INTEGER"), ("_sha256", "BLOB"), ("_key", "BLOB"))

    def check(self, name: str, value: Value) -> Value:
        if value is None:
            return None
        if isinstance(value, Mapping) and set(value) == _CONTENT:
            sha256, size, key = value["sha256"], value["size"], value["key"]
            fits = isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= INT_MAX
            if fits and _is_bytes(sha256, _DIGEST_BYTES) and _is_bytes(key, _KEY_BYTES):
                return {"sha256": bytes(sha256), "size": size, "key": bytes(key)}
        raise _not_typed(name)

    def parse(self, name: str, text: str) -> Value:
        if not text.strip():
            return None
        raise _not_typed(name)

    def to_columns(self, value: Value) -> tuple[Any, ...]:
        return (None, None, None) if value is None else (value["size"], value["sha256"], value["key"])

    def from_columns(self, columns: tuple[Any, ...]) -> Value:
        if columns[0] is None:
            return None
        return {"sha256": columns[1], "size": columns[0], "key": columns[2]}

    def words(self, value: Value) -> Iterable[str]:
        return ()

    def told(self, value: Value) -> Value:
        return None if value is None else {"sha256": value["sha256"].hex(), "size": value["size"]}


def _is_bytes(value: Value, length: int) -> bool:
    return isinstance(value, (bytes, bytearray)) and len(value) == length


def _not_typed(name: str) -> FieldProblem:
    return FieldProblem(
        name, _("This field holds a file."), _("Attach the file to a record: fieldkeep attach ID FILE")
    )
