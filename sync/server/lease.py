"""The server's word that a device is known: given when half of the last one is over, or policy has changed."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import signing
from sync.protocol.documents import Lease, Policy, Root
from sync.protocol.messages import ExchangeHead

HOUR_MS: Final = 3_600_000
NONCE_MAX: Final = 64


def life_ms(policy: Policy) -> int:
    """How long a lease holds: policy locks after that much silence."""
    return policy.offline.lock_h * HOUR_MS


def due(head: ExchangeHead, policy: Policy) -> bool:
    """Whether this answer carries a lease."""
    return head.lease_left_ms * 2 < life_ms(policy) or head.policy_version != policy.version


def make(
    key: Ed25519PrivateKey,
    root: Root,
    policy: Policy,
    *,
    enrolment: str,
    nonce: str,
    order_head: int,
    share_held: bool,
    now: int,
) -> bytes:
    """The envelope of a lease in answer to `nonce`."""
    document = Lease(
        org=root.org,
        enrolment=enrolment,
        seq=now,
        nonce=nonce,
        server_time=now,
        valid_ms=life_ms(policy),
        policy_version=policy.version,
        root_version=root.version,
        order_head=order_head,
        share_held=share_held,
    )
    return signing.sign(document, ("", key)).to_bytes()
