"""A profile under a wipe, or after one: carries the wipe on, hands in the receipt, and says what happened."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from app import log
from app.errors import Busy, KeyringUnreachable, Laid, NewerStore, NotEnrolled, StoreDamaged, Wiped
from app.keys import device, epochs, header, trusted_time
from app.keys.ring import DEV, TRUST, Keyring, SystemKeyring, no_answer
from app.keys.state import device_hint, unproven, vouched
from app.paths import Profile
from app.services import orphan, own_word, wipe
from app.services.card import Card, read_card
from app.services.held import roots_on_file
from app.services.kept_orders import Pending
from app.services.opener import Opener
from app.services.wiped_words import handed_in, wiped_error
from sync.client import handing
from sync.client.line import Identity
from sync.protocol import documents, ladder, signing, trust
from sync.protocol.documents import Policy, Root
from sync.protocol.errors import KnownError, Refused
from sync.protocol.ids import ID_BYTES
from sync.protocol.signals import DAY_MS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_LOG = logging.getLogger("app.services.wiped")

PIECE_STEP: Final = "W6a"  # a piece of a large sealed outbox, or of an attachment, is with the server


def intent_for(
    pending: Pending,
    card: Card,
    policy_version: int,
    now: int,
    *,
    root: str,
    epoch: int,
    vouch: Callable[[bytes], str],
) -> wipe.Intent:
    """What the steps of this wipe need to know, vouched for by the ring key of this epoch. `root`: the digest of the
    root in force."""
    return _intent(
        card,
        vouch,
        order_id=pending.order.order_id,
        order_sha256=pending.digest,
        reason=pending.order.reason,
        policy_version=policy_version,
        started=now,
        epoch=epoch,
        order=pending.envelope,
        root=root,
    )


def intent_of_silence(
    card: Card,
    policy: Policy,
    digest: str,
    now: int,
    *,
    since: int,
    root: str,
    epoch: int,
    envelope: bytes,
    vouch: Callable[[bytes], str],
) -> wipe.Intent:
    """The same for a wipe by the policy's own rule for silence; `digest` is the policy's, `since` the last contact.

    Its id is made of the enrolment and that contact, so that it is the same however often it is begun.
    """
    name = f"fieldkeep-silence/v1\n{card.enrolment}\n{digest}\n{since}"
    days = ladder.wipes_after_ms(policy) // DAY_MS
    text = ngettext("{n} day without contact to the server", "{n} days without contact to the server", days)
    return _intent(
        card,
        vouch,
        order_id=hashlib.sha256(name.encode()).hexdigest()[: 2 * ID_BYTES],
        order_sha256=digest,
        reason=text.format(n=days),
        policy_version=policy.version,
        started=now,
        epoch=epoch,
        order=envelope,
        root=root,
        because=wipe.SILENCE,
        silent_since=since,
    )


def _intent(card: Card, vouch: Callable[[bytes], str], **said: Any) -> wipe.Intent:
    """An intent to wipe this device, with what else is `said`, and the vouching for all of it."""
    intent = wipe.Intent(
        org=card.org,
        org_name=card.org_name,
        device=card.device,
        enrolment=card.enrolment,
        server_url=card.server_url,
        **said,
    )
    return msgspec.structs.replace(intent, mac=vouch(intent.said())).checked()


def refuse_wiped(profile: Profile, step: wipe.Step = wipe.no_step) -> None:
    """Carry a wipe on as far as it goes without a network.

    Raises Wiped when this profile was wiped, StoreDamaged for a file that no order stands behind, KeyringUnreachable
    when the keyring alone could tell.
    """
    intent = wipe.read_intent(profile)
    if intent is not None:
        # Another process may be at it, or the disk take no file: then every start tries again.
        with contextlib.suppress(Busy, OSError), _under_wipe(profile) as ring:
            if ring is not None:
                wipe.destroy(profile, ring, _wall_ms, step)
        raise wiped_error(intent)
    if profile.wipe_receipt.exists() and profile.device.exists():
        raise _no_order_behind()  # of a wipe, the intent goes last: this receipt is nobody's
    _refuse_brought_back(profile)


def _refuse_brought_back(profile: Profile) -> None:
    """Beside the tombstone of its own device nothing opens, whatever a backup has put there; a stone alone wipes
    nothing. Raises Wiped, StoreDamaged for a stone that no order stands behind, KeyringUnreachable.
    """
    try:
        stone = wipe.read_tombstone(profile)
    except StoreDamaged:
        if _keys_here(profile):
            raise _laid_stone(profile) from None
        raise
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
                wipe.destroy_again(profile, ring, stone)
        elif _keys_here(profile):
            raise _laid_stone(profile)
        elif named is None and not epochs.holds_ring_keys(
            profile, ring, [stone.intent.epoch] if stone.intent else []
        ):
            with contextlib.suppress(Busy, OSError), contextlib.closing(Opener(profile.one_opener)):
                wipe.sweep(profile, stone)
    except KeyringUnreachable:
        if named is not None:
            raise
    raise wiped_error(stone)


def _named_here(profile: Profile) -> tuple[str, str] | None:
    """Organisation and device of the card, None when there is none. Raises StoreDamaged."""
    with contextlib.suppress(NotEnrolled):
        card = read_card(profile)
        return card.org, card.device
    return None


def _keys_here(profile: Profile) -> bool:
    """Whether the keyring holds keys of the device that the card names: none outlives a wipe. Raises
    KeyringUnreachable, StoreDamaged."""
    named = _named_here(profile)
    if named is None:
        return False
    ring = SystemKeyring(*named)
    return ring.get(DEV) is not None or epochs.holds_ring_keys(profile, ring)


def _proven(ring: Keyring, stone: wipe.Tombstone) -> bool:
    """Whether the keyring has keys again that vouch for the order of this stone. Raises KeyringUnreachable."""
    intent = stone.intent
    if intent is None or (intent.org, intent.device) != (stone.org, stone.device):
        return False
    with contextlib.suppress(StoreDamaged):  # an entry that is no key vouches for nothing
        if vouched(ring, intent.epoch, intent.said(), intent.mac) is True:
            return True
    return own_word.holds(ring, intent.said(), stone.signed)


@contextlib.contextmanager
def _under_wipe(profile: Profile) -> Iterator[Keyring | None]:
    """Hold a profile under a wipe that is to be believed; gives its keyring, None where the wipe is over meanwhile.

    Raises Busy, StoreDamaged, KeyringUnreachable.
    """
    with contextlib.closing(Opener(profile.one_opener)):
        intent = wipe.read_intent(profile)
        if intent is None:
            yield None
            return
        if not _names_this_folder(profile, intent):
            raise _no_order_behind()  # its device may be wiped long since, and the folder another's
        yield _believed(profile, SystemKeyring(intent.org, intent.device), intent)


def _names_this_folder(profile: Profile, intent: wipe.Intent) -> bool:
    """Whether card, header and guarded state, as far as they are here, are of the device that the intent names."""
    named = [device_hint(profile)]
    with contextlib.suppress(StoreDamaged):
        named.append(_named_here(profile))
    with contextlib.suppress(StoreDamaged, NotEnrolled, NewerStore):
        found = header.read(profile)
        named.append((found.org, found.device))
    return all(each in (None, (intent.org, intent.device)) for each in named)


def _believed(profile: Profile, ring: Keyring, intent: wipe.Intent) -> Keyring:
    """The keyring to go on with, once something stands behind the intent: a file laid here must not be able to wipe.

    This device's own ring key vouches for it, made when a verified order is obeyed. Where that key has gone, by this
    very wipe, or the keyring is away, the signed order in it has to hold, or no store be left to lose. Raises
    StoreDamaged, KeyringUnreachable.
    """
    try:
        proven = vouched(ring, intent.epoch, intent.said(), intent.mac)
        if proven:
            return ring
        if proven is None and not epochs.holds_ring_keys(profile, ring, [intent.epoch]):
            if intent.because:
                stands = wipe.is_marked(ring, intent) or _nothing_left(profile)
            else:
                stands = _order_stands(profile, intent, ring.get(TRUST))
            if stands:
                return ring
    except KeyringUnreachable:
        if not intent.because and _order_stands(profile, intent, None):
            return _Away()  # one that comes back in between takes no key away unasked
        raise KeyringUnreachable(
            _(
                "A file here says that this device was wiped, and the keyring cannot be asked whether it is so."
            ),
            _("Nothing was destroyed, and the store stays shut. Unlock your keyring, then try again."),
        ) from None
    except StoreDamaged:
        pass  # an entry that is no key vouches for nothing
    raise _no_order_behind()


def _order_stands(profile: Profile, intent: wipe.Intent, pin: str | None) -> bool:
    """Whether the order in the intent holds for this device, or its files have gone already.

    It holds under the root that the keyring's entry `trust` names. Without that entry the root has to be the one that
    the state file names, and the order to be one that waits there.
    """
    if _nothing_left(profile):
        return True
    names = []
    if pin is None and (said := unproven(profile)) is not None and said.enrolment == intent.enrolment:
        if said.waiting.get(intent.order_id) != intent.order_sha256:
            return False
        names.append(said.floors.root.digest)
    roots = (orphan.believed(data, names, pin, intent.enrolment) for data in roots_on_file(profile))
    return any(root is not None and _orders_it(root, intent) for root in roots)


def _nothing_left(profile: Profile) -> bool:
    return not profile.header.exists() and not profile.store.exists()


def _orders_it(root: Root, intent: wipe.Intent) -> bool:
    try:
        found = trust.order(root, trust.Floors(), intent.order, enrolment=intent.enrolment, now=_wall_ms())
    except Refused:
        return False
    order = found.order
    return (order.op, found.digest, order.order_id) == (
        documents.WIPE,
        intent.order_sha256,
        intent.order_id,
    ) and order.not_before <= _wall_ms()


class _Away:
    """A keyring that is away: it gives nothing and deletes nothing."""

    def get(self, name: str) -> str | None:
        """Raises KeyringUnreachable."""
        raise no_answer()

    def set(self, name: str, value: str) -> None:
        """Raises KeyringUnreachable."""
        raise no_answer()

    def delete(self, name: str) -> bool:
        """Raises KeyringUnreachable."""
        raise no_answer()


def _no_order_behind() -> StoreDamaged:
    return StoreDamaged(
        _("A file here says that this device was wiped, and no order stands behind it."),
        _("Nothing was destroyed. Tell IT, and do not open folders that others prepared."),
    )


def _laid_stone(profile: Profile) -> Laid:
    return Laid(
        _("The file {name} says that this device was wiped, and no order stands behind it.").format(
            name=profile.tombstone.name
        ),
        _(
            "Nothing was destroyed, and the store stays shut. Ask IT whether this device was wiped. If it was not,"
            " move {name} out of the folder: then the store opens."
        ).format(name=profile.tombstone.name),
    )


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


def told_after(problem: Wiped, profile: Profile, step: wipe.Step = wipe.no_step) -> Wiped:
    """What the person of a device is told that was wiped just now and is held still, after trying to hand it in."""
    try:
        return handed_in(problem) if finish_held(profile, step) else problem
    except (KnownError, OSError) as waits:
        _LOG.info("the receipt waits: %s", waits)
        return problem


def _finish(profile: Profile, ring: Keyring, step: wipe.Step) -> bool:
    from app.store import blobs  # no start needs it

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

        root = _root(profile, ring, intent)
        handing.hand_in_receipt(intent.server_url, root, receipt, who, sealed, after_piece, intent.order)
        # Nobody waits for these as IT does for the receipt. They may be large, and their keys are gone from here.
        waiting = blobs.unsent_in(profile.unsent_blobs)
        if waiting:
            handing.hand_in_blobs(intent.server_url, root, who(), waiting, after_piece)

    return wipe.finish(profile, ring, hand_in, _wall_ms, step)


def _root(profile: Profile, ring: Keyring, intent: wipe.Intent) -> Root:
    """The root in force: the keyring's entry `trust` names it, and while that cannot be had, the intent. The server
    gives it again where its file is lost. Raises StoreDamaged where none is found.
    """
    pin = None
    with contextlib.suppress(KeyringUnreachable):
        pin = ring.get(TRUST)
    names = [intent.root] if pin is None else []
    for data in orphan.roots(profile, intent.server_url, ask_server=True):
        if (root := orphan.believed(data, names, pin, intent.enrolment)) is not None:
            return root
    raise StoreDamaged(
        _("The signed documents on this device do not hold."),
        _("Nothing was changed. Connect and run: fieldkeep sync"),
    )


def _wall_ms() -> int:
    return trusted_time.system_clock().wall_ms
