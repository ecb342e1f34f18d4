"""How a laptop joins an organisation: the code, keys of its own, the server's first papers, an empty store.

The card is written last: a profile without a card holds nothing. What was cut off before the server was asked is
cleared by the next try. From then on the server may have let this device in and only the answer be lost: its keys
stay, and the next try asks again with them, under the same code or a fresh one.
"""

from __future__ import annotations

import contextlib
import platform
import secrets
from typing import Final

import msgspec

from app.errors import AppError, KeyringUnreachable, not_written
from app.keys import device as device_keys
from app.keys import header, trusted_time, vault
from app.keys.device import DeviceKeys
from app.keys.header import key_from
from app.keys.ring import DEV, ENROLLING, HIGH_WATER, TRUST, Keyring, SystemKeyring, share_name
from app.keys.secret import SecretBytes
from app.keys.state import State, StateFile
from app.paths import Profile, remove, write_whole
from app.services.card import Card
from app.services.opener import Opener
from app.store.store import Store
from sync.client import enrol as client
from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.protocol import codes, documents, fingerprint, sealing, signing, trust, version
from sync.protocol.documents import Enrolment, Root
from sync.protocol.errors import Problem
from sync.protocol.fields import clean_text
from sync.protocol.ids import new_device_id, new_incarnation
from sync.protocol.messages import EnrolReply
from sync.protocol.texts import gettext as _

NAME_MAX: Final = 60


_NEVER_LET_IN: Final = (Problem.BAD_REQUEST, Problem.TOO_BIG, Problem.UPGRADE, Problem.NOT_HERE)


class _Started(msgspec.Struct, frozen=True):
    """Which keyring entries an enrolment under way has made; the keyring holds `token` too, so that no file laid
    here can name the keys of another device. `sent`: the server may know this device."""

    org: str
    device: str
    token: str
    sent: bool = False


class _Device:
    """A device in the making: its keys, held until the block ends."""

    def __init__(self, ring: Keyring, keys: DeviceKeys, data_key: SecretBytes, share: SecretBytes) -> None:
        self.ring = ring
        self.keys = keys
        self.data_key = data_key
        self.share = share

    def __enter__(self) -> _Device:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.data_key.wipe()
        self.share.wipe()


def words(code_text: str) -> str:
    """The words of the organisation that a code names, for people to compare. Raises KnownError."""
    return fingerprint.words_of(codes.read(code_text).root_digest)


def enrol(profile: Profile, code_text: str, name: str) -> Card:
    """Enrol this profile under `name` with the code IT gave.

    Raises KnownError; then nothing is left behind, but the keys of a device that the server may have let in.
    """
    code = codes.read(code_text)
    name = clean_text(name)
    if not 0 < len(name) <= NAME_MAX:
        raise AppError(_("The device needs a name."), _("Give it one of up to 60 characters."))
    fresh = not profile.folder.exists()
    try:
        profile.make()
        with contextlib.closing(Opener(profile.one_opener)):
            _refuse_if_taken(profile)
            return _enrol(profile, code, name)
    except KeyringUnreachable:
        if fresh:
            with contextlib.suppress(OSError):  # not empty: somebody else has begun here
                remove(profile.one_opener)
                profile.folder.rmdir()
        raise
    except OSError as error:
        raise not_written(error) from None


def _enrol(profile: Profile, code: codes.EnrolCode, name: str) -> Card:
    wall_ms = trusted_time.system_clock().wall_ms
    started = _read_marker(profile)
    if started is not None and not started.sent:
        _clear(profile, started)
        started = None
    try:
        root, root_data = client.root_of(code, wall_ms)
    except Unreachable as problem:
        raise Unreachable(problem.title, _("Nothing was changed; the code stays valid.")) from None
    begun = _begun(profile, started, root) if started is not None else None
    if started is not None and begun is None:
        _clear(profile, started)
    again = started is not None and begun is not None
    if started is None or begun is None:
        started = _Started(root.org, bytes(new_device_id()).hex(), secrets.token_hex(16))
        SystemKeyring(started.org, started.device).get(ENROLLING)  # without a keyring nothing is begun
        _mark(profile, started)
    asked = False
    try:
        with begun or _make(profile, started, root) as device:
            nonce = secrets.token_hex(16)
            wish = _wish(code, started.device, name, root, device, nonce, wall_ms)
            _mark(profile, msgspec.structs.replace(started, sent=True))
            asked = True
            reply = client.enrol(code.url, root, wish)
            epoch = header.read(profile).epoch
            state = _first_state(root, root_data, reply, started.device, nonce, epoch)
            card = _card(reply, root, started.device, name, code.url)
            _keep_all(profile, device, root, root_data, reply, state, card)
    except BaseException as problem:
        with contextlib.suppress(KeyringUnreachable, OSError):  # the marker stays then, for the next try
            if again or (asked and not _not_let_in(problem)):
                _clear_papers(profile)
                if isinstance(problem, ServerRefused) and problem.problem in _NEVER_LET_IN:
                    _clear(profile, started)
            else:
                _clear(profile, started)
        raise
    with contextlib.suppress(AppError, OSError):  # the first opening does it again
        settle(profile, SystemKeyring(card.org, card.device))
    return card


def settle(profile: Profile, ring: Keyring) -> None:
    """Where the card is written the keys are in use, and nothing takes them back. Raises AppError, OSError."""
    if profile.enrolling.exists():
        ring.delete(ENROLLING)
        remove(profile.enrolling)


def _not_let_in(problem: BaseException) -> bool:
    """Whether the server has certainly not let this device in, when it was asked for the first time."""
    if isinstance(problem, ServerRefused):
        return problem.problem in (*_NEVER_LET_IN, Problem.BAD_CODE)
    return isinstance(problem, NotOurServer)


def _make(profile: Profile, started: _Started, root: Root) -> _Device:
    """Keys for a new device, and the header of its store."""
    ring = SystemKeyring(started.org, started.device)
    ring.set(ENROLLING, started.token)
    keys = device_keys.make(ring)
    data_key, share = vault.create(profile, ring, org=root.org, device=started.device)
    return _Device(ring, keys, data_key, share)


def _begun(profile: Profile, started: _Started, root: Root) -> _Device | None:
    """The device that an earlier try has made, if all of it is there. Raises KeyringUnreachable."""
    if started.org != root.org:
        return None
    ring = SystemKeyring(started.org, started.device)
    if ring.get(ENROLLING) != started.token:
        return None
    try:
        _clear_papers(profile)
        keys = device_keys.load(ring)
        data_key = vault.open_key(profile, ring)
        value = ring.get(share_name(header.read(profile).epoch))
        if value is None:
            return None
        return _Device(ring, keys, data_key, key_from(value))
    except KeyringUnreachable:
        raise
    except AppError:
        return None


def _keep_all(
    profile: Profile,
    device: _Device,
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
        device.data_key,
        device=bytes.fromhex(state.device),
        incarnation=bytes.fromhex(state.incarnation),
        recovery=root.recovery,
        person=reply.person.email,
    )
    store.close()
    guarded = StateFile(profile, device.ring)
    try:
        guarded.create(state)
    finally:
        guarded.close()
    # An earlier wipe's stone goes before the card comes: a card beside it would be a device that says it is wiped.
    remove(profile.tombstone)
    card.write(profile)


def _wish(
    code: codes.EnrolCode, id_: str, name: str, root: Root, device: _Device, nonce: str, at: int
) -> signing.Envelope:
    keys, plain_share = device.keys, bytes(device.share.view)
    return signing.sign(
        Enrolment(
            code=code.secret.hex(),
            device=id_,
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
    root: Root, root_data: bytes, reply: EnrolReply, device: str, nonce: str, epoch: int
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
        device=device,
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
        policy_held=floors.policy.digest,
        keys_made=lease.server_time,
    )


def _card(reply: EnrolReply, root: Root, device: str, name: str, url: str) -> Card:
    return Card(
        org=root.org,
        org_name=root.org_name,
        device=device,
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
            _("This device is enrolled already."),
            _("Nothing was changed. For another device, name a folder of its own: --profile DIR"),
        )
    sealed = (profile.sealed_outbox, profile.sealed_lost)
    unsent = any(path.exists() and path.stat().st_size > 0 for path in sealed)
    if unsent or (profile.header.exists() and not profile.enrolling.exists()):
        raise AppError(
            _("There is a store here whose device card is missing."),
            _("Nothing was changed. Ask IT; unsent work can be recovered."),
        )


def _read_marker(profile: Profile) -> _Started | None:
    try:
        return msgspec.json.decode(profile.enrolling.read_bytes(), type=_Started)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _mark(profile: Profile, started: _Started) -> None:
    write_whole(profile.enrolling, msgspec.json.encode(started))


def _clear(profile: Profile, started: _Started) -> None:
    """Take back a half-made device: it never held a record. Raises KeyringUnreachable when an entry may be left."""
    ring = SystemKeyring(started.org, started.device)
    ours = ring.get(ENROLLING) == started.token
    gone = not ours or all(entry.verified_absent for entry in vault.destroy(profile, ring))
    _clear_papers(profile)
    remove(profile.header)
    if ours:
        # The one that says so goes last: until then the next try takes back what is left.
        gone = gone and all(ring.delete(name) for name in (DEV, HIGH_WATER, TRUST, ENROLLING))
    if not gone:
        raise KeyringUnreachable(
            _("What an enrolment cut short left in the keyring could not be removed."),
            _("Unlock the keyring of your system and try again."),
        )
    remove(profile.enrolling)


def _clear_papers(profile: Profile) -> None:
    """Remove what an answer of the server was put into; it can be had again."""
    for path in (
        profile.store,
        profile.store.with_name(profile.store.name + "-wal"),
        profile.store.with_name(profile.store.name + "-shm"),
        profile.sealed_outbox,
        profile.state,
        profile.root,
        profile.policy,
        profile.lease,
    ):
        remove(path)
