"""An organisation with a second admin, and an order that both sign."""

from __future__ import annotations

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console import desk, keyfile
from sync.protocol import signing
from sync.protocol.desk import OrderView
from sync.protocol.documents import WIPE, Admin, Credential
from tests.server.driver import Device
from tests.server.inside import Inside, nobody_asks

ED = "ed00ed00ed00ed00"


def second_admin(inside: Inside, label: str = "Ed") -> Ed25519PrivateKey:
    """One more admin, whom the root names; the key."""
    key, root = Ed25519PrivateKey.generate(), desk.root_of(inside.office)
    entered = Credential(alg=signing.ED25519, spki=signing.spki_of(key), label=label)
    admins = [*root.admins, Admin(admin_id=ED, credentials=[entered])]
    following = msgspec.structs.replace(root, version=root.version + 1, admins=admins)
    root_key = keyfile.read(inside.keys / "root.key", nobody_asks).signing
    inside.office.put_root(signing.sign(following, ("", root_key)).to_bytes(), b"", "")
    return key


def wipe_by_two(inside: Inside, second: Ed25519PrivateKey, *devices: Device) -> list[OrderView]:
    """File one order to wipe several devices, signed by both admins."""
    first = desk.order_key(inside.office, inside.keys, nobody_asks)
    views = [inside.view(each) for each in devices]
    order = desk.drawn_up_here(inside.office, WIPE, views, "stolen")
    return inside.office.file(signing.sign(order, (first.admin_id, first.signing), (ED, second)).to_bytes())
