"""How a laptop joins an organisation: the code, keys of its own, the server's first papers, an empty store.

The card is written last: a profile without a card holds nothing, and what a cut enrolment left is cleared by the
next one.
"""

from __future__ import annotations

import contextlib
import platform
import secrets
from pathlib import Path
from typing import Final

import msgspec

from app.errors import AppError, KeyringUnreachable, not_written
from app.keys import device as device_keys
from app.keys import header, trusted_time, vault
from app.keys.device import DeviceKeys
from app.keys.ring import DEV, HIGH_WATER, Keyring, SystemKeyring
from app.keys.secret import SecretBytes
from app.keys.state import State, StateFile
from app.paths import Profile, remove, write_whole
from app.services.card import Card
from app.services.opener import Opener
from app.store.store import Store
from sync.client import enrol as client
from sync.protocol import codes, documents, sealing, signing, trust, version
from sync.protocol.documents import Enrolment, Root
from sync.protocol.fields import clean_text
from sync.protocol.ids import new_device_id, new_incarnation
from sync.protocol.messages import EnrolReply
from sync.protocol.texts import gettext as _

NAME_MAX: Final = 60


class _Started(msgspec.Struct, frozen=True):
    """Which keyring entries an enrolment under way has made."""

    org: str
    device: str


def enrol(profile: Profile, code_text: str, name: str) -> Card:
    """Enrol this profile under `name` with the code IT gave. Raises KnownError; then nothing is left behind."""
    code = codes.read(code_text)
    name = clean_text(name)
    if not 0 < len(name) <= NAME_MAX:
        raise AppError(_("The device needs a name."), _("Give it one of up to 60 characters."))
    try:
        profile.make()
        with contextlib.closing(Opener(profile.one_opener)):
            _refuse_if_taken(profile)
            _clear_cut_enrolment(profile)
            return _enrol(profile, code, name)
    except OSError as error:
        raise not_written(error) from None


def _enrol(profile: Profile, code: codes.EnrolCode, name: str) -> Card:
    sample = trusted_time.system_clock()
    root, root_data = client.root_of(code, sample.wall_ms)
    device = bytes(new_device_id())
    started = _Started(root.org, device.hex())
    write_whole(_marker(profile), msgspec.json.encode(started))
    ring = SystemKeyring(root.org, device.hex())
    try:
        keys = device_keys.make(ring)
        data_key, share = vault.create(profile, ring, org=root.org, device=device.hex())
        with data_key, share:
            nonce = secrets.token_hex(16)
            wish = _wish(code, device, name, root, keys, share, nonce, sample.wall_ms)
            reply = client.enrol(code.url, root, wish)
            state = _first_state(root, root_data, reply, device, nonce, header.read(profile).epoch)
            card = _card(reply, root, device, name, code.url)
            _keep_all(profile, ring, data_key, root, root_data, reply, state, card)
    except BaseException:
        # Whatever stopped it, nothing of a half-made device may stay, in files or keyring.
        with contextlib.suppress(KeyringUnreachable, OSError):  # the marker stays then, for the next try
            _clear(profile, ring)
        raise
    remove(_marker(profile))
    return card


def _keep_all(
    profile: Profile,
    ring: Keyring,
    data_key: SecretBytes,
    root: Root,
    root_data: bytes,
    reply: EnrolReply,
    state: State,
    card: Card,
) -> None:
    write_whole(profile.root, root_data)
    write_whole(profile.policy, reply.policy)
    write_whole(profile.lease, reply.lease)
    store = Store.create(
        profile,
        data_key,
        device=bytes.fromhex(state.device),
        incarnation=bytes.fromhex(state.incarnation),
        recovery=root.recovery,
        person=reply.person.email,
    )
    store.close()
    guarded = StateFile(profile, ring)
    try:
        guarded.create(state)
    finally:
        guarded.close()
    # An earlier wipe's stone goes before the card comes: a card beside it would be a device that says it is wiped.
    remove(profile.tombstone)
    card.write(profile)


def _wish(
    code: codes.EnrolCode,
    device: bytes,
    name: str,
    root: Root,
    keys: DeviceKeys,
    share: SecretBytes,
    nonce: str,
    at: int,
) -> signing.Envelope:
    plain_share = bytes(share.view)
    return signing.sign(
        Enrolment(
            code=code.secret.hex(),
            device=device.hex(),
            name=name,
            spki=signing.spki_of(keys.sign),
            sealing_key=sealing.public_bytes(keys.seal),
            share=plain_share,
            share_sealed=sealing.seal(root.recovery, sealing.SHARE, plain_share),
            platform=f"{platform.system()} {platform.release()}"[:80],
            app_version=version.APP_VERSION,
            nonce=nonce,
            at=at,
        ),
        ("", keys.sign),
    )


def _first_state(
    root: Root, root_data: bytes, reply: EnrolReply, device: bytes, nonce: str, epoch: int
) -> State:
    """The documents of the reply through the rules of trust, and the state that follows from them."""
    root_mark = trust.Mark(
        root.version, documents.digest(signing.open_envelope(root_data, Root.TYPE).payload)
    )
    policy, floors = trust.policy(root, trust.Floors(root=root_mark), reply.policy, reply.server_time)
    lease = trust.lease(root, policy, reply.lease, enrolment=reply.enrolment, nonce=nonce)
    return State(
        stage="active",
        org=root.org,
        device=device.hex(),
        enrolment=reply.enrolment,
        epoch=epoch,
        incarnation=bytes(new_incarnation()).hex(),
        floors=floors,
        t_floor=lease.server_time,
        anchor=trusted_time.anchored(lease.server_time, trusted_time.system_clock()),
        last_contact=lease.server_time,
        lease_until=lease.server_time + lease.valid_ms,
        order_head=lease.order_head,
        share_ack=lease.share_held,
    )


def _card(reply: EnrolReply, root: Root, device: bytes, name: str, url: str) -> Card:
    return Card(
        org=root.org,
        org_name=root.org_name,
        device=device.hex(),
        enrolment=reply.enrolment,
        name=name,
        server_url=url,
        person=reply.person,
    )


def _refuse_if_taken(profile: Profile) -> None:
    if not all(profile.is_ours(path.name) for path in profile.folder.iterdir()):
        # The folder of a device is emptied by a wipe: nobody's own files may lie in it.
        raise AppError(
            _("This folder holds files that are not Fieldkeep's."),
            _("Choose an empty folder for the device."),
        )
    if profile.wipe_intent.exists():
        raise AppError(
            _("The wipe of this device is not finished yet."),
            _("Connect and run: fieldkeep sync. Then enrol again."),
        )
    if profile.device.exists():
        raise AppError(
            _("This device is enrolled already."), _("Use another profile, or ask IT to wipe this one.")
        )
    unsent = profile.sealed_outbox.exists() and profile.sealed_outbox.stat().st_size > 0
    if unsent or (profile.header.exists() and not _marker(profile).exists()):
        raise AppError(
            _("There is a store here whose device card is missing."),
            _("Nothing was changed. Ask IT; unsent work can be recovered."),
        )


def _clear_cut_enrolment(profile: Profile) -> None:
    try:
        started = msgspec.json.decode(_marker(profile).read_bytes(), type=_Started)
    except (FileNotFoundError, msgspec.MsgspecError):
        return
    _clear(profile, SystemKeyring(started.org, started.device))


def _clear(profile: Profile, ring: Keyring) -> None:
    """Take back a half-made device: it never held a record. Raises KeyringUnreachable when an entry may be left."""
    absent = all(entry.verified_absent for entry in vault.destroy(profile, ring))
    for path in (
        profile.header,
        profile.store,
        profile.store.with_name(profile.store.name + "-wal"),
        profile.store.with_name(profile.store.name + "-shm"),
        profile.sealed_outbox,
        profile.state,
        profile.root,
        profile.policy,
        profile.lease,
        profile.device,
    ):
        remove(path)
    if not (ring.delete(DEV) and ring.delete(HIGH_WATER) and absent):
        raise KeyringUnreachable(
            _("What an enrolment cut short left in the keyring could not be removed."),
            _("Unlock the keyring of your system and try again."),
        )
    remove(_marker(profile))


def _marker(profile: Profile) -> Path:
    return profile.folder / "enrolling.json"
