"""The steps of a wipe: each may be repeated, and a crash after any of them ends wiped and receipted all the same.

    W1  intent written: from here the store does not open again
    W2  keyring entries deleted, and their absence checked: from here the data is unreadable
    W3  header overwritten and removed
    W4  store, attachments, logs, temporary files and small files removed; the card stays for now: with it, an intent
        that is damaged from here on is made again from the server's order. Attachments that have not gone up stay:
        their keys went with the store, and stand in the sealed outbox alone
    W5  receipt written, signed with the device key
    W6  sealed outbox, receipt and such attachments handed in, in as many requests as it takes; the server holds them
    W7  tombstone written; device key, outbox, receipt, card and intent removed

A wipe needs no store key, no store and no network. A dead keyring stops neither W3 nor W4: the receipt then says
that absence could not be verified, and the entries are tried again at every start.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from app.errors import KeyMissing, KeyringUnreachable, StoreDamaged
from app.keys import device, vault
from app.keys.ring import DEV, EPOCH, HIGH_WATER, TRUST, WIPING, Keyring
from app.paths import Profile, sync_folder, write_whole
from app.services import own_word, sealed_work, unfinished
from sync.protocol import documents, outbox_seal, signing, version
from sync.protocol.documents import Destroyed, Files, Receipt
from sync.protocol.errors import Refused
from sync.protocol.texts import gettext as _

_LOG = logging.getLogger("app.services.wipe")
_KEPT: Final = (
    "root",
    "device",
    "sealed_outbox",
    "sealed_lost",
    "unsent_blobs",
    "wipe_intent",
    "wipe_receipt",
    "tombstone",
    "one_opener",
)

_UNSAID: Final = ("order", "root", "check")
_LATER: Final = ("because", "silent_since")
SILENCE: Final = "silence"

T = TypeVar("T")
Step = Callable[[str], None]


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """All that the later steps need to know, since everything else may be gone by then."""

    v: int = 1
    order_id: str
    order_sha256: str
    reason: str
    org: str
    org_name: str
    device: str
    enrolment: str
    server_url: str
    policy_version: int
    started: int
    epoch: int = 1  # of the ring key that vouches for this file
    mac: str = ""
    order: bytes = b""  # the signed order as it came: it proves itself where no key is left to vouch
    root: str = ""  # digest of the root in force: whom to hand the receipt to, should the keyring not say
    check: str = ""  # a sum over the file: where no key vouches it notices a rotten bit, and no intention
    because: str = ""  # SILENCE: no order, but the policy's own rule; `order` is then the signed policy
    silent_since: int = 0  # then: the last contact

    def checked(self) -> Intent:
        """The same with its check."""
        return msgspec.structs.replace(self, check=self._sum())

    def is_sound(self) -> bool:
        """Whether it is as it was written; earlier versions wrote no check."""
        return self.check in ("", self._sum())

    def _sum(self) -> str:
        bare = _as_before(msgspec.to_builtins(msgspec.structs.replace(self, check="")))
        return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()

    def said(self) -> bytes:
        """The bytes that the mac is over: all of it but what proves itself, which earlier versions did not write."""
        said = _as_before(msgspec.to_builtins(msgspec.structs.replace(self, mac="")))
        return msgspec.json.encode({k: v for k, v in said.items() if k not in _UNSAID}, order="sorted")


def _as_before(said: dict[str, Any]) -> dict[str, Any]:
    """An order's intent, in the very words of versions that knew of no other."""
    return said if said["because"] else {k: v for k, v in said.items() if k not in _LATER}


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    """What stays: that a device was here and was wiped, when and why; nothing of a person."""

    v: int = 1
    org: str
    org_name: str
    device: str
    order_id: str
    reason: str
    wiped: int
    because: str = ""
    intent: Intent | None = None  # vouched for: the same order holds for what a backup brings back
    signed: str = ""  # the device's own word for it (own_word.py)
    left: list[str] = []  # names of ours that another program held fast: every start tries them again


def no_step(name: str) -> None:
    """Called after each step; tests kill the process here."""


def read_intent(profile: Profile) -> Intent | None:
    """The intent of a wipe under way, None when there is none. Raises StoreDamaged; the store stays shut then."""
    intent = _read(profile.wipe_intent, Intent)
    if intent is not None and not intent.is_sound():
        raise _damaged()
    return intent


def read_tombstone(profile: Profile) -> Tombstone | None:
    """What a finished wipe left, None when there was none. Raises StoreDamaged."""
    return _read(profile.tombstone, Tombstone)


def begin(profile: Profile, ring: Keyring, intent: Intent, step: Step = no_step) -> None:
    """W1. On a full disk keys and store go first, which makes room: an order is never stuck on a disk.

    Raises OSError when the intent cannot be written even so; the keys are gone then.
    """
    data = msgspec.json.encode(intent)
    if intent.because:
        _mark(ring, intent)
    for path in (profile.wipe_receipt, profile.wipe_intent, profile.tombstone):
        # What lies there is not this wipe's receipt, and must not be taken for it; a folder would be in the way.
        if path == profile.wipe_receipt or path.is_dir():
            with contextlib.suppress(OSError):
                _remove_tree(path)
    try:
        write_whole(profile.wipe_intent, data)
    except OSError:
        vault.destroy(profile, ring, intent.epoch)
        with contextlib.suppress(OSError):
            vault.shred_header(profile)
        unfinished.take_away(profile)
        for path in (*_store_files(profile), profile.blobs, profile.log, profile.temp):
            with contextlib.suppress(OSError):
                _remove_tree(path)
        write_whole(profile.wipe_intent, data)
    step("W1")


def _mark(ring: Keyring, intent: Intent) -> None:
    """Have the keyring vouch for this intent once the ring key is gone: no signed order does, since there is none."""
    with contextlib.suppress(KeyringUnreachable):  # then no key goes either, and the ring key vouches
        ring.set(WIPING, intent.checked().check)


def is_marked(ring: Keyring, intent: Intent) -> bool:
    """Whether the keyring vouches for this intent. Raises KeyringUnreachable."""
    return bool(intent.because) and ring.get(WIPING) == intent.checked().check


def destroy(profile: Profile, ring: Keyring, now: Callable[[], int], step: Step = no_step) -> None:
    """W2 to W5, from wherever the last run stopped. Raises OSError when not even the receipt can be written."""
    intent = read_intent(profile)
    if intent is None or _is_over(profile, intent):
        return
    # Even beside a receipt: a file that somebody laid there must not stand between the order and the keys.
    keys = vault.destroy(profile, ring, intent.epoch)
    step("W2")
    vault.shred_header(profile)
    step("W3")
    files = _remove_files(profile)
    step("W4")
    if _is_receipt_of(profile, ring, intent):
        return
    receipt = _receipt(profile, intent, keys, files, now())
    try:
        signing_key = device.load_signing(ring)
    except (KeyMissing, KeyringUnreachable):
        # Unsigned, a receipt is worth nothing. The keyring is asked again at the next start.
        _LOG.warning("wipe: the device key cannot be read, the receipt waits")
        return
    write_whole(profile.wipe_receipt, signing.sign(receipt, ("", signing_key)).to_bytes())
    step("W5")


def finish(
    profile: Profile,
    ring: Keyring,
    hand_in: Callable[[Intent, bytes, BinaryIO], None],
    now: Callable[[], int],
    step: Step = no_step,
) -> bool:
    """W6 and W7; whether the wipe is complete. Raises what `hand_in` raises when the server is out of reach."""
    intent = read_intent(profile)
    if intent is None:
        return True
    if not _is_over(profile, intent):
        if not _is_receipt_of(profile, ring, intent):
            return False
        with _sealed(profile) as sealed:
            hand_in(intent, profile.wipe_receipt.read_bytes(), sealed)
        step("W6")
        if not all(entry.verified_absent for entry in vault.destroy(profile, ring, intent.epoch)):
            # The keyring did not answer then and does not now: the entries are tried again at the next start.
            return False
        stone = Tombstone(
            org=intent.org,
            org_name=intent.org_name,
            device=intent.device,
            order_id=intent.order_id,
            reason=intent.reason,
            wiped=now(),
            because=intent.because,
            intent=msgspec.structs.replace(intent, order=b"", root="", check=""),
            signed=own_word.over(ring, intent.said()),
            left=_remove_files(profile).failed,
        )
        write_whole(profile.tombstone, msgspec.json.encode(stone))
    step("W7a")
    for name in (DEV, HIGH_WATER, TRUST, WIPING, EPOCH):
        ring.delete(name)
    work = (profile.sealed_lost, profile.sealed_outbox, profile.unsent_blobs)
    for path in (*work, profile.wipe_receipt, profile.root, profile.device, profile.wipe_intent):
        step("W7b")
        _remove_tree(path)
        sync_folder(profile.folder)
    step("W7")
    return True


def destroy_again(profile: Profile, ring: Keyring, stone: Tombstone) -> None:
    """What a backup has brought back after a wipe goes the way of the first; the server holds what was unsent.

    What proves the stone goes last, the device's signing key or the ring key: without the header neither opens
    anything, and the next start goes on where this one was stopped. Raises KeyringUnreachable, OSError.
    """
    problem: OSError | None = None
    try:
        vault.shred_header(profile)
        _remove_files(profile)
        for name in set(_KEPT) - {"tombstone", "one_opener"}:
            _remove_tree(getattr(profile, name))
        sync_folder(profile.folder)
    except OSError as error:
        problem = error  # a file that will not go must not keep a key
    for name in (TRUST, WIPING) if stone.signed else (DEV, TRUST, WIPING):
        ring.delete(name)
    vault.destroy(profile, ring, stone.intent.epoch if stone.intent is not None else 0)
    for name in (EPOCH, DEV):
        ring.delete(name)
    if problem is not None:
        raise problem


def sweep(profile: Profile, stone: Tombstone) -> None:
    """Take away what would not go when the wipe ended; the caller knows that no device is in the folder since. Raises
    OSError.

    A stone proves nothing by itself: where there is a header, or an enrolment under way, nothing is touched. Without
    either, no key opens what lies there, and sealed work is never among it.
    """
    if profile.header.exists() or profile.enrolling.exists():
        return
    kept = {getattr(profile, name).name for name in _KEPT}
    for name in stone.left:
        if profile.is_ours(name) and name not in kept:
            _remove_tree(profile.folder / name)


def _is_over(profile: Profile, intent: Intent) -> bool:
    """Whether this very wipe has its tombstone: an earlier one may have left another in the same folder."""
    try:
        stone = read_tombstone(profile)
    except StoreDamaged:
        return False  # rubbish that lies there must not stop an order
    return stone is not None and (stone.device, stone.order_id) == (intent.device, intent.order_id)


def _is_receipt_of(profile: Profile, ring: Keyring, intent: Intent) -> bool:
    """Whether the receipt of this very wipe is written already; it is not signed twice, unless it has rotten or the
    sealed work is no longer what it says."""
    try:
        envelope = signing.open_envelope(profile.wipe_receipt.read_bytes(), Receipt.TYPE)
        found = documents.parse(envelope.payload, Receipt)
    except (OSError, Refused):
        return False
    if (found.receipt_id, found.enrolment) != (intent.order_id, intent.enrolment):
        return False
    with contextlib.suppress(KeyMissing, KeyringUnreachable):  # then nobody could sign another one
        if not signing.verifies(envelope, signing.spki_of(device.load_signing(ring))):
            return False
    with _sealed(profile) as sealed:
        return outbox_seal.measured(sealed) == found.outbox


def _read(path: Path, type_: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        raise _damaged() from None


def _damaged() -> StoreDamaged:
    return StoreDamaged(_("A file of the wipe under way is damaged."), _("The store stays shut. Ask IT."))


def _sealed(profile: Profile) -> BinaryIO:
    """All sealed work for reading: it may be larger than memory is to spare, and its place may be empty."""
    try:
        return sealed_work.open_all(profile)
    except FileNotFoundError:
        return io.BytesIO()


def _receipt(profile: Profile, intent: Intent, keys: list[Destroyed], files: Files, now: int) -> Receipt:
    with _sealed(profile) as sealed:
        outbox = outbox_seal.measured(sealed)
    absent = all(entry.verified_absent for entry in keys)
    return Receipt(
        receipt_id=intent.order_id,
        order_sha256=intent.order_sha256,
        org=intent.org,
        enrolment=intent.enrolment,
        device=intent.device,
        policy_version=intent.policy_version,
        started=intent.started,
        finished=now,
        keys=keys,
        files=files,
        outbox=outbox,
        app_version=version.APP_VERSION,
        result="wiped" if absent else "wiped_keyring_unreachable",
        because=intent.because,
        silent_since=intent.silent_since,
    )


def _remove_files(profile: Profile) -> Files:
    """Everything of ours in the profile but what the later steps need; what will not go is named, by name only."""
    kept = {getattr(profile, name).name for name in _KEPT}
    failed = []
    if not profile.folder.exists():
        return Files()
    removed, none_left = unfinished.take_away(profile)
    for path in sorted(profile.folder.iterdir(), key=_store_first):
        if path.name in kept or not profile.is_ours(path.name):
            continue
        try:
            removed += _remove_tree(path)
        except OSError:
            failed.append(path.name)
    if not none_left:  # what a person called it is nobody's business
        failed.append(profile.unfinished.name)
    sync_folder(profile.folder)
    return Files(removed=removed, failed=failed)


def _store_files(profile: Profile) -> list[Path]:
    return [profile.store.with_name(profile.store.name + end) for end in ("-wal", "-shm", "")]


def _store_first(path: Path) -> tuple[bool, str]:
    return (not path.name.startswith("store."), path.name)


def _remove_tree(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        count = sum(1 for each in path.rglob("*") if not each.is_dir())
        shutil.rmtree(path)
        return count
    path.unlink(missing_ok=True)
    return 1
