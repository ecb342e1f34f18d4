"""A wipe signed by a passkey on the console's second host: one device, one passkey of the root, one ticket, once."""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec
import pytest

from sync.compose import consoles
from sync.protocol import documents, signing, trust
from sync.protocol.documents import Order, Root, Target
from sync.protocol.errors import KnownError, Refused
from tests.console.visitor import CONSOLE, IT, WIPES, ConsoleInside, Page, SoftKey, Visitor, grant
from tests.server.driver import Device

REASON = "stolen from the car"


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    return inside.device(inside.person("ana@example.com"), "LAP-0388")


@pytest.fixture
def key(inside: ConsoleInside, admin: Visitor) -> SoftKey:
    """The admin's passkey for orders, which the root names."""
    made = SoftKey()
    grant(inside, admin, made)
    return made


def root(inside: ConsoleInside) -> Root:
    return documents.parse(signing.open_envelope(inside.office.root(), Root.TYPE).payload, Root)


def begin(admin: Visitor, laptop: Device, **other: str) -> Page:
    """Ask for a wipe on the device's page."""
    path = f"/devices/{laptop.enrolment}"
    admin.get(path)
    return admin.post(f"{path}/wipe", {"name": laptop.name, "reason": REASON, **other})


def test_one_passkey_wipes_one_device(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    sent = begin(admin, laptop)
    assert sent.to.startswith(f"{WIPES}/sign/")
    page = inside.visitor().get(sent.to)
    text = " ".join(page.plain.split())
    for words in ("LAP-0388", laptop.enrolment, REASON, "exactly one device", IT, "Example"):
        assert words in text
    assert "require-trusted-types-for 'script'" in page.heads["content-security-policy"]
    assert not page.cookies
    done = inside.visitor().post(sent.to, {"answer": key.get(page.options, WIPES)})
    assert done.to == f"{CONSOLE}/devices/{laptop.enrolment}"
    (order,) = inside.office.orders()
    assert (order.op, order.reason, order.enrolment) == ("wipe", REASON, laptop.enrolment)
    # What is filed a device takes in by its own rules.
    data = inside.order_envelope(laptop)
    accepted = trust.order(root(inside), trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())
    assert (accepted.authority, len(accepted.order.devices)) == ("admin", 1)
    assert IT in admin.get(f"/devices/{laptop.enrolment}/progress").plain
    assert inside.visitor().post(sent.to, {"answer": key.get(page.options, WIPES)}).status == 400
    assert len(inside.office.orders()) == 1


BENT: dict[str, dict[str, Any]] = {
    "on the console's own host": {"origin": CONSOLE},
    "on another port": {"origin": "https://wipe.localhost"},
    "on another page": {"origin": "https://evil.test"},
    "in a frame": {"topOrigin": "https://evil.test"},
    "nobody verified": {"flags": 0x01},
    "nobody there": {"flags": 0x04},
    "another challenge": {"challenge": "AAAA"},
    "a copied key that was named a fixed one": {"flags": 0x0D},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=list(BENT))
def test_a_bent_signature_wipes_nothing(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device, bent: dict[str, Any]
) -> None:
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    said = {"origin": WIPES, **bent}
    answer = inside.visitor().post(sent.to, {"answer": key.get(page.options, **said)})
    assert answer.status == 400
    assert not inside.office.orders()
    assert inside.visitor().get(sent.to).status == 400  # the ticket is used up


def test_only_a_passkey_that_the_root_names_signs(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    other = SoftKey()
    sent = admin.post("/account/order-key", {"label": "Not granted"})
    page = admin.get(sent.to)
    admin.post(sent.to, {"answer": other.create(page.options, WIPES)})
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    assert len(page.options["allowCredentials"]) == 1
    assert (
        "may not sign orders"
        in inside.visitor().post(sent.to, {"answer": other.get(page.options, WIPES)}).plain
    )
    assert not inside.office.orders()


def test_a_passkey_for_signing_in_signs_no_order(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    mine = SoftKey()
    page = admin.get("/account")
    admin.post(
        "/account/passkey", {"ticket": page.field("ticket"), "answer": mine.create(page.options, CONSOLE)}
    )
    assert "No passkey of yours may sign a wipe here yet" in begin(admin, laptop).plain
    with pytest.raises(KnownError, match="no passkey with these digits"):
        consoles.grant(_asked(inside, "00" * 8), inside.office)


def test_no_session_alone_wipes(inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device) -> None:
    sent = begin(admin, laptop)
    for answer in ("", "{}", json.dumps({"id": "x", "rawId": "", "response": {}})):
        assert inside.visitor().post(sent.to, {"answer": answer}).status == 400
        sent = begin(admin, laptop)
    with pytest.raises(KnownError):
        inside.office.sign_here("wipe", laptop.enrolment, "x")
    assert not inside.office.orders()


def test_the_name_and_a_reason_are_asked(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    assert "not the name of the device" in begin(admin, laptop, name="LAP-0389").plain
    assert "needs a reason" in begin(admin, laptop, reason=" ").plain


def test_a_ticket_is_of_minutes_and_of_whoever_may_still_act(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    sent = begin(admin, laptop)
    inside.skew = 301_000
    assert inside.visitor().get(sent.to).status == 400
    inside.skew = 0
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    inside.office.add_person(IT, "privacy", "Company", "")
    assert inside.visitor().post(sent.to, {"answer": key.get(page.options, WIPES)}).status == 400
    assert not inside.office.orders()


def test_a_form_from_elsewhere_signs_nothing(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    form = {"answer": key.get(page.options, WIPES)}
    for origin in (CONSOLE, "https://evil.test", ""):
        assert inside.visitor().post(sent.to, form, origin=origin).status == 403
    assert not inside.office.orders()


def test_an_assertion_of_this_host_stands_for_one_device(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    """Whatever a page shows: an order for two devices is refused, by the server as by each device."""
    other = inside.device(inside.person("bo@example.com"), "LAP-0389")
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    draft = inside.office.draft()
    order = Order(
        order_id="0" * 32, seq=draft.number, op="wipe", org=draft.org, root_version=draft.root_version,
        devices=[Target(enrolment=each.enrolment, name=each.name) for each in (laptop, other)],
        reason="x", issued=draft.now, not_before=draft.now, expires=draft.now + 86_400_000,
    )  # fmt: skip
    payload = order.to_bytes()
    from tests.console.visitor import b64

    answer = json.loads(key.get({**page.options, "challenge": b64(signing.challenge(payload))}, WIPES))
    (credential,) = [c for a in root(inside).admins for c in a.credentials if c.alg == "webauthn"]
    (admin_id,) = [a.admin_id for a in root(inside).admins]
    from webauthn.helpers import base64url_to_bytes as raw

    signature = signing.Signature(
        keyid=signing.keyid(credential.spki), alg="webauthn", sig=raw(answer["response"]["signature"]),
        admin_id=admin_id,
        authenticator_data=raw(answer["response"]["authenticatorData"]),
        client_data_json=raw(answer["response"]["clientDataJSON"]),
    )  # fmt: skip
    data = signing.Envelope(type="order", payload=payload, signatures=[signature]).to_bytes()
    with pytest.raises(Refused, match="without enough signatures"):
        inside.office.file(data)
    with pytest.raises(Refused, match="without enough signatures"):
        trust.order(root(inside), trust.Floors(), data, enrolment=laptop.enrolment, now=inside.now())


# --- the root ---------------------------------------------------------------------------------


def _asked(inside: ConsoleInside, digits: str, email: str = IT, **other: Any) -> argparse.Namespace:
    fields = {
        "email": email,
        "keys": inside.keys,
        "key": digits,
        "another_admin": False,
        "json": False,
        **other,
    }
    return argparse.Namespace(**fields)


def _register(inside: ConsoleInside, visitor: Visitor, key: SoftKey) -> str:
    sent = visitor.post("/account/order-key", {"label": "Key"})
    page = visitor.get(sent.to)
    assert visitor.post(sent.to, {"answer": key.create(page.options, WIPES)}).status == 303
    return signing.keyid(inside.office.console_keys()[-1].spki)


def test_granting_makes_the_next_root_which_devices_take_in(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    before = root(inside)
    digits = _register(inside, admin, SoftKey())
    assert "waits to be entered in the root" in admin.get("/account").plain
    assert consoles.grant(_asked(inside, digits[:12]), inside.office) == 0
    after = root(inside)
    assert after.version == before.version + 1
    assert after.console is not None
    assert (after.console.rp_id, after.console.origins) == ("wipe.localhost", [WIPES])
    (admins,) = after.admins  # of the admin whose key files lie beside: one person counts once
    assert [credential.alg for credential in admins.credentials] == ["ed25519", "ed25519", "webauthn"]
    (paper,) = [
        paper for paper in laptop.exchange(root_version=before.version).papers if paper.kind == "root"
    ]
    assert trust.next_root(before, paper.data, inside.now()) == after
    assert "in the root" in admin.get("/account").plain
    with pytest.raises(KnownError, match="names this passkey already"):
        consoles.grant(_asked(inside, digits[:12]), inside.office)


def test_two_people_are_two_admins(inside: ConsoleInside, admin: Visitor, key: SoftKey) -> None:
    inside.office.add_person("ed@example.com", "it", "IT", "")
    ed = inside.admin("ed@example.com")
    sent = ed.post("/account/order-key", {"label": "Key of Ed"})
    page = ed.get(sent.to)
    ed.post(sent.to, {"answer": SoftKey().create(page.options, WIPES)})
    (mine,) = [each for each in inside.office.console_keys() if each.email == "ed@example.com"]
    digits = signing.keyid(mine.spki)
    with pytest.raises(KnownError, match="somebody else stand under this name"):
        consoles.grant(_asked(inside, digits, "ed@example.com"), inside.office)
    assert consoles.grant(_asked(inside, digits, "ed@example.com", another_admin=True), inside.office) == 0
    assert len(root(inside).admins) == 2
    # And each of them signs with what is theirs alone.
    laptop = inside.device(inside.person("ana@example.com"), "LAP-0388")
    page = inside.visitor().get(begin(ed, laptop).to)
    assert [each["id"] for each in page.options["allowCredentials"]] != [
        each["id"] for each in inside.visitor().get(begin(admin, laptop).to).options["allowCredentials"]
    ]


def test_revoking_takes_the_passkey_out_of_the_root(
    inside: ConsoleInside, admin: Visitor, key: SoftKey, laptop: Device
) -> None:
    sent = begin(admin, laptop)
    page = inside.visitor().get(sent.to)
    assert consoles.revoke(_asked(inside, ""), inside.office) == 0
    assert [c.alg for a in root(inside).admins for c in a.credentials] == ["ed25519", "ed25519"]
    assert admin.get("/devices").to == "/sign-in"
    assert inside.visitor().post(sent.to, {"answer": key.get(page.options, WIPES)}).status == 400
    assert not inside.office.orders()


def test_a_root_that_does_not_follow_is_refused(inside: ConsoleInside) -> None:
    from sync.console import keyfile

    now = root(inside)
    signer = keyfile.read(inside.keys / "root.key", str).signing
    wrong = keyfile.read(inside.keys / "policy.key", str).signing
    skipped = msgspec.structs.replace(now, version=now.version + 2)
    following = msgspec.structs.replace(now, version=now.version + 1)
    for document, by in ((skipped, signer), (following, wrong)):
        with pytest.raises(Refused):
            inside.office.put_root(signing.sign(document, ("", by)).to_bytes(), b"", "")
    assert root(inside) == now
