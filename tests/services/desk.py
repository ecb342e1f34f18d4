"""The organisation's own hand, and a forger's: signs documents for a laptop with the town's keys, or with others."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.services.session import Session
from sync.console import keyfile
from sync.protocol import signing
from sync.protocol.documents import Document, Lease, Order, Policy, Root, Target
from sync.protocol.messages import Paper
from sync.server import config
from tests.road import DAY_MS, Town, now_ms


def nobody_asks() -> str:
    """The passphrase of keys that have none."""
    raise AssertionError("no passphrase is needed")


class Desk:
    """Makes documents for the laptop of one open session."""

    def __init__(self, town: Town, session: Session) -> None:
        self.session = session
        self.order_key = self._key(town.keys / "order-1.key")
        self.policy_key = self._key(town.keys / "policy.key")
        self.root_key = self._key(town.keys / "root.key")
        self.lease_key = ("", config.read_lease_key(town.secrets / "lease.key"))
        self.forger = ("it", Ed25519PrivateKey.generate())

    def _key(self, path: Path) -> tuple[str, Ed25519PrivateKey]:
        opened = keyfile.read(path, nobody_asks)
        return opened.admin_id, opened.signing

    def order(self, op: str, seq: int, **other: Any) -> Order:
        """An order for this laptop, good from now on."""
        now = min(now_ms(), self.session.now())  # just enrolled, a device may be a few milliseconds behind
        fields: dict[str, Any] = {
            "order_id": secrets.token_hex(16), "seq": seq, "op": op, "org": self.session.card.org, "root_version": 1,
            "devices": [Target(enrolment=self.session.card.enrolment)], "reason": "a test", "issued": now,
            "not_before": now, "expires": now + DAY_MS,
        }  # fmt: skip
        return Order(**{**fields, **other})

    def policy(self, version: int, **other: Any) -> Policy:
        """A policy that follows the one in force."""
        held = self.session.papers.held.policy
        return msgspec.structs.replace(held, version=version, issued=now_ms(), **other)

    def lease(self, nonce: str, **other: Any) -> Lease:
        """A lease in answer to `nonce`."""
        fields: dict[str, Any] = {
            "org": self.session.card.org, "enrolment": self.session.card.enrolment, "seq": 2, "nonce": nonce,
            "server_time": now_ms(), "valid_ms": 10 * DAY_MS, "policy_version": 1, "root_version": 1, "order_head": 0,
            "share_held": True,
        }  # fmt: skip
        return Lease(**{**fields, **other})

    def root(self, version: int, **other: Any) -> Root:
        """A root that follows the one in force."""
        held = self.session.papers.held.root
        return msgspec.structs.replace(held, version=version, issued=now_ms(), **other)

    def give(self, document: Document, *keys: tuple[str, Ed25519PrivateKey], nonce: str = "n") -> None:
        """Hand a document to the laptop, as an answer of the server does."""
        data = signing.sign(document, *keys).to_bytes()
        self.session.papers.take_papers([Paper(kind=document.TYPE, data=data)], nonce)
