"""A code lets one device in, once, within a day; guessing is slow and leaves no trace in the store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import codes, documents, messages, signing, trust
from sync.protocol.documents import Enrolment, Lease
from sync.protocol.errors import Problem
from sync.server import limits
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import URL, Inside


@pytest.fixture
def code(inside: Inside) -> str:
    inside.person("ana@example.com")
    return inside.office.enrol_code("ana@example.com")


def refused(device: Device, code: str) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        device.enrol(code)
    return refusal.value


def test_a_code_names_server_and_root_and_is_kept_as_a_digest(inside: Inside, code: str) -> None:
    read = codes.read(code)
    assert read.url == URL
    root = signing.open_envelope(inside.office.root(), "root")
    assert read.root_digest == documents.digest(root.payload)
    inside.store.close()
    stored = b"".join(path.read_bytes() for path in inside.folders.data.iterdir())
    assert read.secret not in stored
    inside.open()


def test_a_code_works_once(inside: Inside, code: str) -> None:
    first = Device(inside.send, "first")
    first.enrol(code)
    said = refused(Device(inside.send, "second"), code)
    assert (said.status, said.trouble.problem) == (403, Problem.BAD_CODE)
    assert len(inside.office.devices()) == 1


def test_a_lost_answer_is_given_again_to_the_same_device(inside: Inside, code: str) -> None:
    device = Device(inside.send)
    first = device.enrol(code)
    again = device.enrol(code)
    assert (again.enrolment, again.person) == (first.enrolment, first.person)
    assert len(inside.office.devices()) == 1


def test_a_device_that_never_heard_of_it_is_let_in_by_a_fresh_code(inside: Inside, code: str) -> None:
    device = Device(inside.send, "Laptop")
    first = device.enrol(code)
    device.name = "Renamed"
    again = device.enrol(inside.office.enrol_code("ana@example.com"))
    assert again.enrolment == first.enrolment
    assert [each.name for each in inside.office.devices()] == ["Renamed"]


def test_a_device_that_has_spoken_is_let_in_by_no_fresh_code(inside: Inside, code: str) -> None:
    device = Device(inside.send, "Laptop")
    device.enrol(code)
    device.sync()
    fresh = inside.office.enrol_code("ana@example.com")
    assert refused(device, fresh).trouble.problem is Problem.BAD_REQUEST
    inside.person("bo@example.com")
    silent = Device(inside.send, "Silent")
    silent.enrol(fresh)  # it was not used up
    others = inside.office.enrol_code("bo@example.com")
    assert refused(silent, others).trouble.problem is Problem.BAD_REQUEST


def test_a_code_of_yesterday_is_refused(inside: Inside, code: str) -> None:
    inside.skew = 24 * 3_600_000 + 1_000
    assert refused(Device(inside.send), code).trouble.problem is Problem.BAD_CODE


@pytest.mark.expected_warnings("problem=guessing")
def test_guessing_is_slowed_down(inside: Inside, code: str) -> None:
    read = codes.read(code)
    device = Device(inside.send)
    for number in range(limits.GUESSES):
        guess = codes.write(codes.EnrolCode(read.url, read.root_digest, number.to_bytes(16, "big")))
        assert refused(device, guess).trouble.problem is Problem.BAD_CODE
    said = refused(device, code)
    assert (said.status, said.trouble.problem, said.trouble.retry_after) == (503, Problem.BUSY, 60)
    inside.skew = limits.MINUTE_MS + 1
    device.enrol(code)


def test_guesses_are_counted_per_address_and_forgotten_in_time() -> None:
    tries = limits.Tries(2)
    for at in (0, 10):
        tries.failed("a", at)
    assert tries.exhausted("a", 20)
    assert not tries.exhausted("b", 20)
    assert not tries.exhausted("a", limits.MINUTE_MS + 5)


def test_living_devices_have_names_of_their_own(inside: Inside, code: str) -> None:
    first = inside.device("ana@example.com", "Laptop")
    said = refused(Device(inside.send, "LAPTOP"), code)
    assert said.trouble.problem is Problem.BAD_REQUEST
    assert "name" in said.trouble.title
    first.hand_in(first.receipt(inside.wipe(first)))
    second = Device(inside.send, "Laptop")
    second.enrol(code)  # the code was not used up, and a wiped device's name is free


def test_keys_and_ids_are_never_taken_twice(inside: Inside, code: str) -> None:
    first = inside.device("ana@example.com", "first")
    same_key = Device(inside.send, "second", sign_key=first.sign_key)
    same_id = Device(inside.send, "third", device=first.device)
    for device in (same_key, same_id):
        assert refused(device, code).trouble.problem is Problem.BAD_REQUEST


def changed(who: Device, code: str, key: Ed25519PrivateKey | None = None, **fields: Any) -> bytes:
    envelope = signing.open_envelope(who.wish(code), Enrolment.TYPE)
    wish = documents.parse(envelope.payload, Enrolment)
    return signing.sign(msgspec.structs.replace(wish, **fields), ("", key or who.sign_key)).to_bytes()


SMALL_ORDER = bytes.fromhex("302a300506032b6570032100" + "01" + "00" * 31)


@pytest.mark.parametrize(
    "fields",
    [
        {"spki": SMALL_ORDER},
        {"spki": b"rubbish"},
        {"device": "00" * 15},
        {"device": "zz" * 16},
        {"sealing_key": b"short"},
        {"sealing_key": bytes(32)},
        {"share": b""},
        {"share_sealed": b"x" * 5_000},
        {"nonce": ""},
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "x" * 61},
        {"platform": "x" * 300},
    ],
    ids=lambda fields: next(iter(fields)) if isinstance(fields, dict) else None,
)
def test_a_wish_out_of_form_is_refused_and_the_code_stays_good(
    inside: Inside, code: str, fields: dict[str, Any]
) -> None:
    device = Device(inside.send)
    status, body = inside.send("POST", messages.ENROL_PATH, changed(device, code, **fields), {})
    with pytest.raises(Refusal) as refusal:
        frames_of(status, body)
    assert refusal.value.trouble.problem is Problem.BAD_REQUEST
    device.enrol(code)


@pytest.mark.expected_warnings("why=signature")
def test_a_wish_signed_by_somebody_else_is_refused(inside: Inside, code: str) -> None:
    device = Device(inside.send)
    body = changed(device, code, Ed25519PrivateKey.generate())
    with pytest.raises(Refusal):
        frames_of(*inside.send("POST", messages.ENROL_PATH, body, {}))
    assert not inside.office.devices()


def test_the_first_lease_answers_the_nonce_and_says_that_the_share_is_held(inside: Inside, code: str) -> None:
    device = Device(inside.send)
    given = device.enrol(code)
    assert device.root is not None
    policy, _floors = trust.policy(device.root, trust.Floors(), given.policy, device.now())
    nonce = documents.parse(signing.open_envelope(given.lease, Lease.TYPE).payload, Lease).nonce
    lease = trust.lease(device.root, policy, given.lease, enrolment=device.enrolment, nonce=nonce)
    assert lease.share_held
    assert lease.valid_ms == policy.offline.lock_h * 3_600_000
