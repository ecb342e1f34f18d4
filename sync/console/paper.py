"""A paper on its way between admins: an order or the next root, who has signed it so far, and the root in force.

    {"type": "fieldkeep-paper", "v": 1, "root": the envelope in force, "kind", "payload", "signatures"}

Nothing in such a file is secret and nothing in it is believed: what is signed is parsed from its bytes, and what it
claims of signatures is verified. The root in it says whose keys count; it is one of this organisation's or it is
not, which its digest tells whoever compares it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from sync.protocol import documents, signing
from sync.protocol.documents import Document, Order, Root
from sync.protocol.errors import KnownError, Refused
from sync.protocol.signing import Envelope, Signature
from sync.protocol.texts import gettext as _

FILE_MAX: Final = 320 * 2**10
_KINDS: Final = (Order.TYPE, Root.TYPE)

D = TypeVar("D", bound=Document)


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper as it is written; `root` is an envelope, `payload` the very bytes that are signed."""

    type: str = "fieldkeep-paper"
    v: int = 1
    root: bytes
    kind: str  # "order" | "root"
    payload: bytes
    signatures: list[Signature] = []

    @property
    def envelope(self) -> Envelope:
        """The paper as it is filed, whoever has signed it."""
        return Envelope(type=self.kind, payload=self.payload, signatures=self.signatures)

    @property
    def digest(self) -> str:
        """What two people compare: the SHA-256 of the bytes, hex."""
        return documents.digest(self.payload)

    def with_signature(self, signature: Signature) -> Paper:
        """The paper with one signature more; one of the same key goes."""
        others = [
            each
            for each in self.signatures
            if (each.admin_id, each.keyid) != (signature.admin_id, signature.keyid)
        ]
        return msgspec.structs.replace(self, signatures=[*others, signature])


def drafted(root: bytes, document: Document) -> Paper:
    """A paper that nobody has signed yet; `root` is the envelope of the root in force."""
    return Paper(root=root, kind=document.TYPE, payload=document.to_bytes())


def root_of(paper: Paper) -> Root:
    """The root that the paper brings, which at least holds by its own keys. Raises Refused."""
    return root_in(paper.root)


def root_in(envelope: bytes) -> Root:
    """The root in an envelope that came along with something, as far as its own keys make it hold. Raises Refused."""
    opened = signing.open_envelope(envelope, Root.TYPE)
    root = documents.parse(opened.payload, Root)
    if len(signing.role_signers(opened, root.root.keys)) < max(1, root.root.threshold):
        raise Refused("root", _("A document without enough valid signatures was refused."))
    return root


def root_digest(paper: Paper) -> str:
    """The SHA-256 of the root that the paper brings, hex."""
    return documents.digest(signing.open_envelope(paper.root, Root.TYPE).payload)


def order_of(paper: Paper) -> Order:
    """The order in the paper, from its bytes. Raises Refused."""
    return documents.parse(paper.payload, Order)


def next_root_of(paper: Paper) -> Root:
    """The next root in the paper, from its bytes. Raises Refused."""
    return documents.parse(paper.payload, Root)


def read(path: Path) -> Paper:
    """The paper in a file. Raises KnownError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(FILE_MAX + 1)
        found = msgspec.json.decode(data[:FILE_MAX], type=Paper, strict=True)
    except OSError as error:
        title = _("The file “{name}” cannot be read.").format(name=path.name)
        raise KnownError(title, error.strerror or "") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _no_paper(path) from None
    if (found.type, found.v) != ("fieldkeep-paper", 1) or found.kind not in _KINDS:
        raise _no_paper(path)
    if len(found.signatures) > signing.SIGNATURES_MAX:
        raise _no_paper(path)
    return found


def write(path: Path, paper: Paper, *, new: bool) -> None:
    """Put a paper into its file, whole or not at all; a new one overwrites nothing. Raises KnownError."""
    if new and path.exists():
        raise KnownError(
            _("“{name}” is there already; nothing was written.").format(name=path.name),
            _("Give another name: --draft FILE"),
        )
    put(path, msgspec.json.encode(paper, order="sorted") + b"\n")


def put(path: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all. Raises KnownError."""
    beside = path.with_name(path.name + ".new")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        title = _("“{name}” could not be written.").format(name=path.name)
        raise KnownError(title, error.strerror or "") from None


def _no_paper(path: Path) -> KnownError:
    return KnownError(
        _("“{name}” holds nothing to be signed.").format(name=path.name),
        _("Draw one up with: fieldkeep-admin wipe DEVICE --reason TEXT --draft FILE"),
    )
