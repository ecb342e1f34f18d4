"""Policies as the server has them: it files what the policy key has signed, and judges wipes that a policy asked for.

It can neither make a policy nor loosen one; what a device would refuse, or pass over, it does not file.
"""

from __future__ import annotations

from typing import Final

from sync.protocol import documents, ladder, signing, soundness, trust
from sync.protocol.documents import Policy, Receipt, Root
from sync.protocol.errors import Problem, Refused
from sync.protocol.facts import JUMP_MAX
from sync.protocol.signals import DAY_MS, SILENCE
from sync.protocol.texts import gettext as _
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine, Device
from sync.server.errors import RequestProblem

DESK: Final = "desk"
VERB: Final = "policy"  # of the line in the audit table that says who filed one
UNHEARD_MS: Final = (
    DAY_MS  # answers that were lost on their way: the device did not hear what this server did
)


def fits_silence(
    tx: Transaction, root: Root, device: Device, receipt: Receipt, policy_along: bytes, now: int
) -> None:
    """A receipt of a wipe by silence is for a policy of ours that asks for it after so long; of a device that was heard
    of since, it is some copy's, and that copy's sealed work is taken and no more.
    """
    policy = _policy_of(tx, root, receipt, policy_along, now)
    if receipt.because != SILENCE or policy is None:
        raise RequestProblem(Problem.BAD_REQUEST, why="receipt of no rule of ours")
    if receipt.started - receipt.silent_since < ladder.wipes_after_ms(policy):
        raise RequestProblem(Problem.BAD_REQUEST, why="receipt of too short a silence")
    if device.last_seen - receipt.silent_since > UNHEARD_MS:
        raise RequestProblem(
            Problem.BAD_REQUEST,
            _("Another copy of this device is in use."),
            _("What it has not sent is with IT."),
            why="receipt of a copy",
        )


def _policy_of(tx: Transaction, root: Root, receipt: Receipt, along: bytes, now: int) -> Policy | None:
    """The policy that a receipt names by its digest: filed here, or, where this server was restored from before it
    was, along with the receipt and signed by the root's policy key."""
    filed = tx.post.document(Policy.TYPE, receipt.policy_version)
    if filed is not None and _digest_of(filed, Policy.TYPE) == receipt.order_sha256:
        return _parsed(filed)
    if not along or _digest_of(along, Policy.TYPE) != receipt.order_sha256:
        return None
    return trust.policy(root, trust.Floors(), along, min(now, _parsed(along).expires - 1))[0]


def _parsed(envelope: bytes) -> Policy:
    return documents.parse(signing.open_envelope(envelope, Policy.TYPE).payload, Policy)


def _digest_of(envelope: bytes, type_: str) -> str:
    return documents.digest(signing.open_envelope(envelope, type_).payload)


def file(
    tx: Transaction, root: Root, in_force: Policy, envelope: bytes, now: int, actor: str = DESK
) -> Policy:
    """File a signed policy: one that follows, sound, and one that the devices take. Raises Refused."""
    before = tx.post.newest(Policy.TYPE)[1]
    floors = trust.Floors(policy=trust.Mark(in_force.version, _digest_of(before, Policy.TYPE)))
    policy, _floors = trust.policy(root, floors, envelope, now)
    soundness.refuse_unsound(policy)
    ahead = policy.version - in_force.version
    if not 0 < ahead <= JUMP_MAX or policy.prev_hash != floors.policy.digest:
        raise Refused(
            "policy_number",
            _("This policy does not follow the one in force, which is number {n}.").format(
                n=in_force.version
            ),
            _("Begin from the one in force: fieldkeep-admin policy show"),
        )
    tx.post.put_document(Policy.TYPE, policy.version, envelope)
    digest = _digest_of(envelope, Policy.TYPE)
    tx.post.audit(AuditLine(at=now, actor=actor, verb=VERB, object=str(policy.version), digest=digest))
    return policy
