"""The wire is what its picture shows: nobody changes it without seeing that he does."""

from __future__ import annotations

import difflib

from tests.wire import picture

DECISION = """changing the wire is a decision: devices and servers of other versions are out there.

Adding a field with a default, a tag, a word or a kind: raise what sync/protocol/version.py counts, and keep reading
what is in tests/wire/old. Changing or taking away: not within one protocol version. When it is decided, say why in
docs/wire.md, and draw anew with: python -m tests.wire.picture
"""


def test_the_wire_is_as_its_picture_shows() -> None:
    kept, now = picture.PLACE.read_text(encoding="utf-8"), picture.text()
    changes = difflib.unified_diff(
        kept.splitlines(), now.splitlines(), "the picture", "the code", lineterm="", n=2
    )
    assert kept == now, f"{DECISION}\n" + "\n".join(changes)


def test_the_picture_notices_a_field_that_changed() -> None:
    """The drawing shows name, type, default and order of every field, so that no change passes."""
    drawn = picture.draw()
    assert drawn["structs"]["Cursor"]["fields"] == {
        "epoch": "bytes = b''", "seq": "int = 0", "scopes": "int = 0", "schema": "int = 0", "care": "int = 3",
    }  # fmt: skip
    assert drawn["kinds"]["deal"]["amount"] == "money hold confidential"
    assert drawn["kinds"]["consent"]["status"].startswith(
        "choice(given, expired, withdrawn, refused) stricter"
    )
    assert len(drawn["structs"]) > 30
    assert set(drawn["statuses"]) == set(drawn["words"]["Problem"])
