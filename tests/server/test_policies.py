"""What the server files as a policy, and which receipts of silence it believes."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest

from sync.console import policy_desk, policy_form
from sync.protocol import documents, signing
from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError, Refused
from sync.protocol.facts import next_number
from sync.server import policies
from sync.server.db.kept import Device
from sync.server.errors import RequestProblem
from tests.protocol.authority import DAY, LAPTOP, NOW, ORG, Authority


class Filed:
    """A transaction's documents, as far as they are asked for."""

    def __init__(self, *envelopes: bytes) -> None:
        self._kept = {
            documents.parse(signing.open_envelope(each, Policy.TYPE).payload, Policy).version: each
            for each in envelopes
        }
        self.audited: list[Any] = []
        self.post = self

    def document(self, type_: str, version: int) -> bytes | None:
        return self._kept.get(version) if type_ == Policy.TYPE else None

    def newest(self, _type: str) -> tuple[int, bytes]:
        number = max(self._kept)
        return number, self._kept[number]

    def put_document(self, _type: str, version: int, envelope: bytes) -> None:
        self._kept[version] = envelope

    def audit(self, line: Any) -> None:
        self.audited.append(line)


@pytest.fixture
def authority() -> Authority:
    """Who signs."""
    return Authority()


def signed(authority: Authority, policy: Policy) -> bytes:
    """The policy in its envelope."""
    return signing.sign(policy, ("", authority.policy_key)).to_bytes()


def digest(envelope: bytes) -> str:
    """Of its payload."""
    return documents.digest(signing.open_envelope(envelope, Policy.TYPE).payload)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({}, ""),
        ({"version": 3}, ""),  # a restored server has lost what devices have
        ({"version": 2_000}, "policy_number"),
        ({"version": 1}, "policy_number"),
        ({"prev_hash": "00"}, "policy_number"),
        ({"org": "00" * 16}, "org"),
        ({"expires": NOW}, "expired"),
        ({"rules": [{"signal": "clock", "action": "wipe"}]}, "policy_wipe"),
        ({"rules": [{"signal": "clok", "action": "warn"}]}, "policy_form"),
    ],
)
def test_only_the_next_and_sound_policy_is_filed(
    authority: Authority, changed: dict[str, Any], rule: str
) -> None:
    first = signed(authority, authority.policy(1))
    tx: Any = Filed(first)
    fresh = authority.policy(2, prev_hash=digest(first))
    envelope = signed(authority, msgspec.structs.replace(fresh, **changed))
    if not rule:
        number = changed.get("version", 2)
        assert policies.file(tx, authority.root(), authority.policy(1), envelope, NOW).version == number
        assert [(line.verb, line.object) for line in tx.audited] == [("policy", str(number))]
        return
    with pytest.raises(Refused) as refusal:
        policies.file(tx, authority.root(), authority.policy(1), envelope, NOW)
    assert refusal.value.rule == rule
    assert not tx.audited


def test_another_key_files_no_policy(authority: Authority) -> None:
    first = signed(authority, authority.policy(1))
    fresh = authority.policy(2, prev_hash=digest(first))
    for key in (authority.lease_key, authority.ann, Authority().policy_key):
        tx: Any = Filed(first)
        with pytest.raises(Refused):
            policies.file(
                tx, authority.root(), authority.policy(1), signing.sign(fresh, ("", key)).to_bytes(), NOW
            )


def device(last_seen: int) -> Device:
    """The laptop as the server knows it."""
    fields: dict[str, Any] = {"enrolment": LAPTOP, "last_seen": last_seen}
    return msgspec.structs.replace(_BLANK, **fields)


_BLANK = Device(
    enrolment=LAPTOP, device=secrets.token_bytes(16), name="laptop", keyid="", person=b"p" * 16, spki=b"",
    sealing_key=b"", platform="", app_version="", enrolled=0, last_seen=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("receipt", "seen_after_d", "why"),
    [
        ({}, 0, ""),
        ({}, 0.9, ""),  # answers that were lost on their way
        ({}, 2, "receipt of a copy"),
        ({"because": "mood"}, 0, "receipt of no rule of ours"),
        ({"order_sha256": "00" * 32}, 0, "receipt of no rule of ours"),
        ({"policy_version": 9}, 0, "receipt of no rule of ours"),
        ({"started": NOW + 59 * DAY}, 0, "receipt of too short a silence"),
    ],
)
def test_a_receipt_of_silence_is_for_our_policy_and_for_a_device_that_was_silent(
    authority: Authority, receipt: dict[str, Any], seen_after_d: float, why: str
) -> None:
    first = signed(authority, authority.policy(1))
    honest = msgspec.structs.replace(
        authority.receipt(), because="silence", silent_since=NOW, started=NOW + 60 * DAY,
        order_sha256=digest(first), policy_version=1,
    )  # fmt: skip
    said = msgspec.structs.replace(honest, **receipt)
    tx: Any = Filed(first)
    asked = (tx, authority.root(), device(NOW + int(seen_after_d * DAY)), said, b"", NOW + 61 * DAY)
    if not why:
        policies.fits_silence(*asked)
        return
    with pytest.raises(RequestProblem) as problem:
        policies.fits_silence(*asked)
    assert problem.value.why == why


def test_a_restored_server_believes_the_policy_that_comes_along(authority: Authority) -> None:
    first, second = (signed(authority, authority.policy(number)) for number in (1, 2))
    tx: Any = Filed(first)
    said = msgspec.structs.replace(
        authority.receipt(), because="silence", silent_since=NOW, started=NOW + 60 * DAY,
        order_sha256=digest(second), policy_version=2,
    )  # fmt: skip
    policies.fits_silence(tx, authority.root(), device(NOW), said, second, NOW + 400 * DAY)
    forged = signing.sign(authority.policy(2), ("", Authority().policy_key)).to_bytes()
    with pytest.raises(Refused):
        policies.fits_silence(tx, authority.root(), device(NOW), said, forged, NOW)


# --- IT's desk


class Office:
    """The server's side, over what is filed."""

    def __init__(self, authority: Authority, *envelopes: bytes) -> None:
        self.tx: Any = Filed(*envelopes)
        self._root = authority.root()
        self._signed = signing.sign(self._root, ("", authority.root_key)).to_bytes()

    def root(self) -> bytes:
        return self._signed

    def devices(self) -> list[Any]:
        return []

    def policy(self) -> bytes:
        return bytes(self.tx.newest(Policy.TYPE)[1])

    def file_policy(self, envelope: bytes) -> int:
        before = policy_desk.in_force(self)  # type: ignore[arg-type] # as far as it is asked
        return policies.file(self.tx, self._root, before, envelope, NOW).version


def test_what_a_file_says_is_signed_as_the_next_policy(authority: Authority, tmp_path: Any) -> None:
    from sync.console import keyfile

    (tmp_path / "policy.key").write_bytes(keyfile.write("policy", authority.policy_key, passphrase=""))
    office: Any = Office(authority, signed(authority, authority.policy(1)))
    wanted = policy_form.read(b"[use]\nexport = 'block'\n", policy_desk.in_force(office), as_json=False)
    assert policy_desk.publish(office, tmp_path, str, wanted, NOW) == 2
    found = policy_desk.in_force(office)
    assert (found.version, found.use.export, found.org) == (2, "block", ORG)
    assert found.prev_hash == digest(signed(authority, authority.policy(1)))
    assert found.expires > NOW + 300 * DAY
    (tmp_path / "policy.key").write_bytes(keyfile.write("policy", Authority().policy_key, passphrase=""))
    with pytest.raises(KnownError) as refusal:
        policy_desk.publish(office, tmp_path, str, wanted, NOW)
    assert "policy key" in refusal.value.title
    assert policy_desk.in_force(office).version == 2


@pytest.mark.parametrize(
    ("told", "number"),
    [([], 4), ([{}], 4), ([{"policy": 2}], 4), ([{"policy": 5}, {"policy": 4}], 6), ([{"policy": 2**62}], 4),
     ([{"policy": "9"}, {"policy": True}], 4)],
)  # fmt: skip
def test_no_number_is_given_twice_though_a_server_was_restored(
    told: list[dict[str, Any]], number: int
) -> None:
    assert next_number(3, told) == number
