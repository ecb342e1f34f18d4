"""Holds the audit table against what somebody kept of it: nothing that was written there is changed or gone.

Whoever keeps a checkpoint away from the server is a witness: a server that rewrites its log has no proof that begins
with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import msgspec

from sync.console import paper as papers
from sync.protocol import documents, signing, tree, trust
from sync.protocol.desk import LogProof
from sync.protocol.documents import Checkpoint
from sync.protocol.errors import KnownError, Refused
from sync.protocol.texts import gettext as _

FILE_MAX: Final = 320 * 2**10

T = TypeVar("T")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness keeps: the root whose key signed, and the checkpoint."""

    type: str = "fieldkeep-kept-checkpoint"
    v: int = 1
    root: bytes
    checkpoint: bytes


def verified(proof: LogProof, kept: Kept | None) -> tuple[Checkpoint, Kept]:
    """The checkpoint that this proof leads to, and what is to be kept from now on. Raises KnownError, Refused."""
    checkpoint = checkpoint_of(proof.root, proof.checkpoint)
    if kept is not None:
        before, old = checkpoint_of(kept.root, kept.checkpoint), papers.root_in(kept.root)
        if papers.root_in(proof.root).to_bytes() != old.to_bytes():
            trust.next_root(old, proof.root, max(checkpoint.at, old.issued))
        if before.org != checkpoint.org or proof.since != before.size:
            raise KnownError(
                _("This proof does not begin where the kept checkpoint ends."),
                _("Ask for one from there on: fieldkeep-admin audit proof FILE --since {n}").format(
                    n=before.size
                ),
            )
        if not tree.has_grown(
            before.size, _hash(before.root), checkpoint.size, _hash(checkpoint.root), proof.proof
        ):
            raise Refused(
                "log",
                _("THE AUDIT TABLE WAS REWRITTEN: it does not begin with what was kept of it."),
                _("Keep both files, tell every admin, and trust nothing that this server says."),
            )
    return checkpoint, Kept(root=proof.root, checkpoint=proof.checkpoint)


def checkpoint_of(root: bytes, envelope: bytes) -> Checkpoint:
    """A checkpoint that the server's key has signed. Raises Refused."""
    opened = signing.open_envelope(envelope, Checkpoint.TYPE)
    if not signing.role_signers(opened, papers.root_in(root).lease.keys):
        raise Refused("signature", _("A checkpoint without the server's signature was refused."))
    return documents.parse(opened.payload, Checkpoint)


def read_proof(path: Path) -> LogProof:
    """The proof in a file. Raises KnownError."""
    found = _read(path, LogProof)
    if (found.type, found.v) != ("fieldkeep-log-proof", 1):
        raise _no_checkpoint(path)
    return found


def read_kept(path: Path) -> Kept | None:
    """What a witness has kept, None where this is the first time. Raises KnownError."""
    if not path.exists():
        return None
    found = _read(path, Kept)
    if (found.type, found.v) != ("fieldkeep-kept-checkpoint", 1):
        raise _no_checkpoint(path)
    return found


def _read(path: Path, type_: type[T]) -> T:
    try:
        with path.open("rb") as stream:
            return msgspec.json.decode(stream.read(FILE_MAX), type=type_, strict=True)
    except (OSError, msgspec.MsgspecError, RecursionError):
        raise _no_checkpoint(path) from None


def _no_checkpoint(path: Path) -> KnownError:
    return KnownError(_("“{name}” holds no checkpoint of an audit table.").format(name=path.name))


def write(path: Path, what: LogProof | Kept) -> None:
    """Put it into a file, whole or not at all. Raises KnownError."""
    papers.put(path, msgspec.json.encode(what, order="sorted") + b"\n")


def _hash(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
