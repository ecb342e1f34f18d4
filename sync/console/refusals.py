"""What people wrote in changes that the server did not take: opened at the desk, with the recovery key alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from sync.console import desk, keyfile
from sync.console.ports import Office
from sync.protocol import sealing
from sync.protocol.desk import RefusedView
from sync.protocol.errors import KnownError
from sync.protocol.ids import ID_BYTES, id_text, parse_id
from sync.protocol.ops import Op
from sync.protocol.texts import gettext as _

_DEPTH_MAX: Final = 16


def opened(
    office: Office, keys: Path, passphrase: desk.Passphrase, enrolment: str
) -> list[tuple[RefusedView, dict[str, Any]]]:
    """Refused changes of a device (of all for ""), each with the cells it was to write. Raises KnownError."""
    key = keyfile.read(keys / desk.RECOVERY_KEY, passphrase)
    return [
        (each, {cell: _plain(value) for cell, value in _read(key, each).set.items()})
        for each in office.refused(enrolment, sealed=True)
    ]


def ops(office: Office, key: keyfile.OpenKey, enrolment: str) -> list[Op]:
    """The refused changes of a device as the ops that they were, the oldest first. Raises KnownError."""
    found = []
    for each in office.refused(enrolment, sealed=True):
        op = _read(key, each)
        found.append(msgspec.structs.replace(op, origin=op.origin or _origin(each, op)))
    return found


def _origin(view: RefusedView, op: Op) -> tuple[bytes, bytes, int]:
    return parse_id(view.device_id), bytes.fromhex(view.incarnation), op.n


def _read(key: keyfile.OpenKey, view: RefusedView) -> Op:
    plain = sealing.unseal(key.opening, sealing.REFUSED, view.sealed)
    try:
        return msgspec.msgpack.decode(plain, type=Op)
    except msgspec.MsgspecError:
        raise KnownError(_("A refused change could not be read.")) from None


def _plain(value: Any, depth: int = 0) -> Any:
    """A cell as JSON and people can have it: a reference as the id of its record; what no field holds as text."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, bytes):
        return id_text(value) if len(value) == ID_BYTES else value.hex()
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        return {str(name): _plain(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list) and depth < _DEPTH_MAX:
        return [_plain(each, depth + 1) for each in value]
    return "…" if isinstance(value, (dict, list)) else str(value)
