"""A profile under a wipe, or after one: carries the wipe on, hands in the receipt, and says what happened."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import msgspec

from app import log
from app.errors import Busy, KeyringUnreachable, NotEnrolled, StoreDamaged, Wiped
from app.keys import device, trusted_time
from app.keys.ring import DEV, Keyring, SystemKeyring, ring_name
from app.keys.state import vouched
from app.paths import Profile
from app.services import wipe
from app.services.card import Card, read_card
from app.services.opener import Opener
from app.services.papers import Pending
from sync.client import handing
from sync.client.line import Identity
from sync.protocol import documents, signing
from sync.protocol.documents import Root
from sync.protocol.texts import gettext as _

EPOCHS_LOOKED_AT: Final = range(1, 5)
PIECE_STEP: Final = "W6a"  # a piece of a large sealed outbox is with the server


def intent_for(
    pending: Pending, card: Card, policy_version: int, now: int, *, epoch: int, vouch: Callable[[bytes], str]
) -> wipe.Intent:
    """What the steps of this wipe need to know, vouched for by the ring key of this epoch."""
    intent = wipe.Intent(
        order_id=pending.order.order_id,
        order_sha256=pending.digest,
        reason=pending.order.reason,
        org=card.org,
        org_name=card.org_name,
        device=card.device,
        enrolment=card.enrolment,
        server_url=card.server_url,
        policy_version=policy_version,
        started=now,
        epoch=epoch,
    )
    return msgspec.structs.replace(intent, mac=vouch(intent.said()))


def refuse_wiped(profile: Profile, step: wipe.Step = wipe.no_step) -> None:
    """Carry a wipe on as far as it goes without a network. Raises Wiped when this profile was wiped."""
    intent = wipe.read_intent(profile)
    if intent is not None:
        # Another process may be at it, or the disk take no file: then every start tries again.
        with contextlib.suppress(Busy, OSError), _under_wipe(profile) as ring:
            if ring is not None:
                wipe.destroy(profile, ring, _wall_ms, step)
        raise wiped_error(intent.org_name, intent.reason)
    if profile.wipe_receipt.exists() and profile.device.exists():
        raise _no_order_behind()  # of a wipe, the intent goes last: this receipt is nobody's
    _refuse_brought_back(profile)


def _refuse_brought_back(profile: Profile) -> None:
    """Beside the tombstone of its own device nothing opens, whatever a backup has put there; a stone alone wipes
    nothing. Raises Wiped, StoreDamaged for a stone that no order stands behind, KeyringUnreachable.
    """
    stone = wipe.read_tombstone(profile)
    if stone is None:
        return
    named = _named_here(profile)
    if named is not None and named != (stone.org, stone.device):
        return  # the folder has another device since
    ring = SystemKeyring(stone.org, stone.device)
    try:
        if _proven(ring, stone):
            log.shut()
            # Another process may be at it, or a file not go: then every start tries again.
            with contextlib.suppress(Busy, OSError), contextlib.closing(Opener(profile.one_opener)):
                wipe.destroy_again(profile, ring)
        elif named is not None and (ring.get(DEV) is not None or _holds_keys(ring)):
            raise _no_order_behind()
    except KeyringUnreachable:
        if named is not None:
            raise
    raise wiped_error(stone.org_name, stone.reason)


def _named_here(profile: Profile) -> tuple[str, str] | None:
    """Organisation and device of the card, None when there is none. Raises StoreDamaged."""
    with contextlib.suppress(NotEnrolled):
        card = read_card(profile)
        return card.org, card.device
    return None


def _proven(ring: Keyring, stone: wipe.Tombstone) -> bool:
    """Whether the keyring has a key again that vouches for the order of this stone. Raises KeyringUnreachable."""
    intent = stone.intent
    if intent is None or (intent.org, intent.device) != (stone.org, stone.device):
        return False
    with contextlib.suppress(StoreDamaged):  # an entry that is no key vouches for nothing
        return vouched(ring, intent.epoch, intent.said(), intent.mac) is True
    return False


@contextlib.contextmanager
def _under_wipe(profile: Profile) -> Iterator[Keyring | None]:
    """Hold a profile under a wipe that is to be believed; gives its keyring, None where the wipe is over meanwhile.

    Raises Busy, StoreDamaged.
    """
    with contextlib.closing(Opener(profile.one_opener)):
        intent = wipe.read_intent(profile)
        if intent is None:
            yield None
            return
        ring = SystemKeyring(intent.org, intent.device)
        _believe(ring, intent)
        yield ring


def _believe(ring: Keyring, intent: wipe.Intent) -> None:
    """Refuse an intent that this device's own ring key does not vouch for, while there are keys to lose.

    A file laid into a folder must not be able to wipe; the mac is made when a verified order is obeyed. Raises
    StoreDamaged.
    """
    try:
        proven = vouched(ring, intent.epoch, intent.said(), intent.mac)
        if proven or (proven is None and not _holds_keys(ring)):
            return  # vouched for, or the keys have gone already by this wipe
    except KeyringUnreachable:
        return  # it gives nothing, and deletes nothing: what goes are files of this folder alone
    except StoreDamaged:
        pass  # an entry that is no key vouches for nothing
    raise _no_order_behind()


def _no_order_behind() -> StoreDamaged:
    return StoreDamaged(
        _("A file here says that this device was wiped, and no order stands behind it."),
        _("Nothing was destroyed. Tell IT, and do not open folders that others prepared."),
    )


def _holds_keys(ring: Keyring) -> bool:
    return any(ring.get(ring_name(epoch)) is not None for epoch in EPOCHS_LOOKED_AT)


def finish_wipe(profile: Profile, step: wipe.Step = wipe.no_step) -> bool:
    """Hand in receipt and sealed outbox of a wipe; whether it is complete.

    Raises ExchangeError when offline, KeyringUnreachable, and Busy while another process has the profile.
    """
    if wipe.read_intent(profile) is None:
        return True
    with _under_wipe(profile) as ring:
        return ring is None or _finish(profile, ring, step)


def finish_held(profile: Profile, step: wipe.Step = wipe.no_step) -> bool:
    """The same for who holds the profile already."""
    intent = wipe.read_intent(profile)
    return intent is None or _finish(profile, SystemKeyring(intent.org, intent.device), step)


def _finish(profile: Profile, ring: Keyring, step: wipe.Step) -> bool:
    def hand_in(intent: wipe.Intent, receipt: bytes, sealed: BinaryIO) -> None:
        def who() -> Identity:
            key = device.load_signing(ring)  # the last key to go, once the server has everything
            return Identity(
                intent.org,
                intent.enrolment,
                intent.device,
                lambda document: signing.sign(document, ("", key)),
            )

        def after_piece() -> None:
            step(PIECE_STEP)

        handing.hand_in_receipt(intent.server_url, _kept_root(profile), receipt, who, sealed, after_piece)

    return wipe.finish(profile, ring, hand_in, _wall_ms, step)


def wiped_error(org_name: str, reason: str) -> Wiped:
    """What a wiped device says."""
    title = _("This device was wiped by {org}.").format(org=org_name)
    return Wiped(title, _("Reason: {reason}").format(reason=reason) if reason else "")


def _kept_root(profile: Profile) -> Root:
    """The root as kept: its certificates are all that is needed of it now, and it was verified when it came."""
    return documents.parse(signing.open_envelope(profile.root.read_bytes(), Root.TYPE).payload, Root)


def _wall_ms() -> int:
    return trusted_time.system_clock().wall_ms
