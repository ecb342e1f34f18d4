"""Signs the next policy with IT's policy key, in IT's own process, and files it with the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from sync.console import keyfile
from sync.console.ports import Office
from sync.protocol import documents, signing, soundness, trust
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import KnownError
from sync.protocol.facts import next_number
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS

POLICY_KEY: Final = "policy.key"
LIFE_DAYS: Final = 397

Passphrase = Callable[[], str]


def in_force(office: Office) -> Policy:
    """The policy in force."""
    return documents.parse(signing.open_envelope(office.policy(), Policy.TYPE).payload, Policy)


def following(before: Policy, number: int, digest: str, wanted: Policy, now: int) -> Policy:
    """What IT wants, as the policy of this number after the one in force. Raises Refused where it must not be."""
    policy = msgspec.structs.replace(
        wanted,
        version=number,
        org=before.org,
        issued=now,
        expires=now + LIFE_DAYS * DAY_MS,
        prev_hash=digest,
    )
    soundness.refuse_unsound(policy)
    return policy


def next_after(office: Office, wanted: Policy, now: int) -> tuple[bytes, Policy]:
    """The envelope in force, and what IT wants as the policy after it, not signed yet. Raises Refused."""
    data = office.policy()
    envelope = signing.open_envelope(data, Policy.TYPE)
    before = documents.parse(envelope.payload, Policy)
    number = next_number(before.version, (device.posture for device in office.devices()))
    return data, following(before, number, documents.digest(envelope.payload), wanted, now)


def publish(office: Office, keys: Path, passphrase: Passphrase, wanted: Policy, now: int) -> int:
    """Sign and file; the number of the new policy. Raises KnownError, and then nothing is in force but what was."""
    in_force_data, policy = next_after(office, wanted, now)
    envelope = signing.open_envelope(in_force_data, Policy.TYPE)
    before, digest = documents.parse(envelope.payload, Policy), documents.digest(envelope.payload)
    root = documents.parse(signing.open_envelope(office.root(), Root.TYPE).payload, Root)
    key = keyfile.read(keys / POLICY_KEY, passphrase)
    if signing.spki_of(key.signing) not in {each.spki for each in root.policy.keys}:
        raise other_key()
    data = signing.sign(policy, ("", key.signing)).to_bytes()
    floors = trust.Floors(policy=trust.Mark(before.version, digest))
    trust.policy(root, floors, data, now)  # as every device will
    return office.file_policy(data)


def other_key() -> KnownError:
    """What is said of a key that the root does not name for policies."""
    return KnownError(
        _("This is not the policy key of this organisation."),
        _("Name the folder that holds it: --keys DIR"),
    )
