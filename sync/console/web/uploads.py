"""A form with a file in it, as browsers send one: its fields and the one file, out of a body that is here whole."""

from __future__ import annotations

import re
from typing import Final

from sync.console.web.asking import Forged

_BOUNDARY: Final = re.compile(
    r'multipart/form-data;\s*boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', re.ASCII
)
_NAME: Final = re.compile(rb'[;\s]name="([^"\r\n]{1,80})"')
_FILE: Final = re.compile(rb'[;\s]filename="')
_PARTS_MAX: Final = 20
_GAP: Final = b"\r\n\r\n"


def parts_of(body: bytes, media: str) -> tuple[dict[str, str], bytes]:
    """The fields, and the file's bytes (b"" for none). Raises Forged where it is no such form."""
    found = _BOUNDARY.fullmatch(media.strip())
    if found is None:
        raise Forged
    mark = b"--" + found[1].encode()
    # What stands before the first mark and behind the last is no part.
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or len(pieces) > _PARTS_MAX or not pieces[-1].startswith(b"--"):
        raise Forged
    fields: dict[str, str] = {}
    file = b""
    for piece in pieces[1:-1]:
        head, gap, value = piece.partition(_GAP)
        name = _NAME.search(head)
        if not gap or name is None:
            raise Forged
        if _FILE.search(head):
            file = value
        else:
            try:
                fields[name[1].decode()] = value.decode()
            except UnicodeDecodeError:
                raise Forged from None
    return fields, file
