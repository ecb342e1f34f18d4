"""The types a field can have: what they hold, how they are written, stored, searched and merged by default.

A value is plain data (str, int, bool, list, dict of these). A record at rest on the server and on the wire is
a flat map of *cells*: one per field, or, for a field of several values, one per element (`phones/<16 hex>`) and
one per tag (`tags/<tag>`), so that two people who add two phones never meet.
"""

from __future__ import annotations

from sync.protocol.fields.base import (
    ELEMENTS_MAX,
    INT_MAX,
    NOTES_BYTES,
    NOTES_MAX,
    TEXT_MAX,
    Care,
    Field,
    FieldType,
    Find,
    Merge,
    Value,
    clean_text,
    is_plain,
    notes_room,
)
from sync.protocol.fields.compound import ADDRESS_PARTS, Address, Content, Several, Tags
from sync.protocol.fields.plain import (
    Choice,
    Date,
    Flag,
    Instant,
    Integer,
    Money,
    Notes,
    Person,
    Ref,
    Text,
)

__all__ = [
    "ADDRESS_PARTS",
    "ELEMENTS_MAX",
    "INT_MAX",
    "NOTES_BYTES",
    "NOTES_MAX",
    "TEXT_MAX",
    "Address",
    "Care",
    "Choice",
    "Content",
    "Date",
    "Field",
    "FieldType",
    "Find",
    "Flag",
    "Instant",
    "Integer",
    "Merge",
    "Money",
    "Notes",
    "Person",
    "Ref",
    "Several",
    "Tags",
    "Text",
    "Value",
    "clean_text",
    "is_plain",
    "notes_room",
]
