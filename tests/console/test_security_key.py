"""A security key signs an order on an admin's own machine; a key in software stands behind python-fido2's port."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from fido2.ctap import CtapDevice

from sync.console import paper as papers
from sync.protocol import signing, trust
from tests.console.away import Person, draft, root_in
from tests.console.softkey import SoftSecurityKey
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.running import Org


def plugged(*keys: CtapDevice) -> mock._patch[object]:
    return mock.patch("sync.console.security_key.plugged_in", lambda: list(keys))


def entered(house: Org, key: SoftSecurityKey, name: str = "ed") -> Person:
    """Somebody whose security key the root names."""
    ed = Person(house, house.folder / name)
    with plugged(key):
        pub = ed.make("order", f"{name}'s key", "--security-key")
    assert not (ed.keys / "order-1.key").exists()
    house.admin("root", "admin-add", str(pub))
    return ed


@pytest.mark.parametrize("eddsa", [False, True], ids=["ES256", "EdDSA"])
def test_a_security_key_is_the_second_signature_of_a_wipe_of_two(
    house: Org, inside: Inside, laptops: list[Device], *, eddsa: bool
) -> None:
    key = SoftSecurityKey(eddsa=eddsa)
    ed = entered(house, key)
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")
    Person(house, house.keys).sign(file, "wipe 2")
    with plugged(key):
        done = ed.sign(file, "wipe 2", "--security-key")
    assert "Touch the security key" in done.stderr
    assert "It can be filed" in done.stdout
    house.admin("file", str(file))
    root = root_in(file)
    data = papers.read(file).envelope.to_bytes()
    for laptop in laptops:
        taken = trust.order(root, trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())
        assert taken.order.op == "wipe"
    (challenge,) = [each[2] for each in key.asked if 2 in each and isinstance(each.get(1), str)]
    assert len(challenge) == 32  # the key sees a digest and nothing of the order


def test_what_is_asked_of_the_key_is_over_these_bytes_and_wants_its_person(house: Org) -> None:
    key = SoftSecurityKey()
    ed = entered(house, key)
    file = draft(house, "wipe.paper", "LAP-1")
    with plugged(key):
        ed.sign(file, "wipe 1", "--security-key")
    (signature,) = papers.read(file).signatures
    said = json.loads(signature.client_data_json)
    wanted = signing.challenge(papers.read(file).payload)
    import base64

    assert base64.urlsafe_b64decode(said["challenge"] + "=") == wanted
    assert (said["type"], said["origin"]) == ("webauthn.get", root_in(file).signer.origins[0])  # type: ignore[union-attr]
    asked = key.asked[-1]
    assert (asked[1], asked[5]) == ("localhost", {"uv": True})


@pytest.mark.parametrize(
    "flags", [0x01, 0x04, 0x0D, 0x00], ids=["nobody verified", "nobody there", "copied", "none"]
)
def test_a_signature_that_devices_would_refuse_is_not_kept(house: Org, flags: int) -> None:
    key = SoftSecurityKey()
    ed = entered(house, key)
    file = draft(house, "wipe.paper", "LAP-1")
    key.flags = flags
    with plugged(key):
        done = ed.sign(file, "wipe 1", "--security-key", check=False)
    assert done.returncode == 1
    assert not papers.read(file).signatures


def test_a_key_that_nobody_touches_or_that_is_another_signs_nothing(house: Org) -> None:
    key = SoftSecurityKey()
    ed = entered(house, key)
    file = draft(house, "wipe.paper", "LAP-1")
    other = SoftSecurityKey()
    other.keys[b"x" * 32] = next(iter(key.keys.values()))
    slow = SoftSecurityKey(touched=False)
    slow.keys = dict(key.keys)
    for found, says in (
        ((other,), "does not name this key"),
        ((slow,), "Nobody touched"),
        ((), "No security key is plugged in"),
        ((key, other), "Several security keys"),
    ):
        with plugged(*found):
            done = ed.sign(file, "wipe 1", "--security-key", check=False)
        assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert not papers.read(file).signatures


def test_a_security_key_with_a_pin_asks_for_it_and_takes_no_wrong_one(house: Org) -> None:
    key = SoftSecurityKey(pin="482913")
    with mock.patch("getpass.getpass", return_value="482913"):
        ed = entered(house, key)
    file = draft(house, "wipe.paper", "LAP-1")
    with plugged(key), mock.patch("getpass.getpass", return_value="000000"):
        done = ed.sign(file, "wipe 1", "--security-key", check=False)
    assert (done.returncode, "not the PIN" in done.stderr, key.wrong) == (1, True, 1), done.stderr
    assert not papers.read(file).signatures
    with plugged(key), mock.patch("getpass.getpass", return_value="482913"):
        assert "It can be filed" in ed.sign(file, "wipe 1", "--security-key").stdout
    assert house.json("file", str(file))["device"] == "LAP-1"


def test_a_security_key_and_a_key_file_of_one_admin_are_one_person(house: Org) -> None:
    key = SoftSecurityKey()
    me = Person(house, house.keys)
    with plugged(key):
        pub = me.make("order", "my key", "--security-key")
    house.admin("root", "key-add", str(pub))
    file = draft(house, "wipe.paper", "LAP-1", "LAP-2")
    me.sign(file, "wipe 2")
    with plugged(key):
        done = me.sign(file, "wipe 2", "--security-key", check=False)
    assert (done.returncode, "people are counted" in done.stderr) == (1, True)
    assert house.admin("file", str(file), check=False).returncode == 1
