"""The hash tree over the audit table: a checkpoint that the server signs, and the proof that it has only grown."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import signing, tree
from sync.protocol.desk import LogProof
from sync.protocol.documents import Checkpoint, Root
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server import post
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine


def entry(line: AuditLine) -> bytes:
    """A line as it stands in the tree: canonical, with the length of each part, so that no two lines are one."""
    parts = (str(line.at), line.actor, line.verb, line.object, line.digest)
    return b"fieldkeep-audit/v1" + b"".join(
        b" %d:%s" % (len(part), part) for part in (p.encode() for p in parts)
    )


def proven(tx: Transaction, lease_key: Ed25519PrivateKey, since: int, now: int) -> LogProof:
    """A checkpoint of the table, with the proof from `since` on. Raises KnownError where it was longer."""
    leaves = [tree.leaf(entry(line)) for line in tx.post.audit_lines()]
    if not 0 <= since <= len(leaves):
        raise KnownError(
            _("The audit table has {n} entries, fewer than were kept.").format(n=len(leaves)),
            _("It was cut, or this server was put back to an earlier day. Ask who did so."),
        )
    root, _policy = post.root_and_policy(tx)
    checkpoint = Checkpoint(org=root.org, size=len(leaves), root=tree.root(leaves).hex(), at=now)
    return LogProof(
        root=tx.post.newest(Root.TYPE)[1],
        checkpoint=signing.sign(checkpoint, ("", lease_key)).to_bytes(),
        since=since,
        proof=tree.consistency(leaves, since),
    )
