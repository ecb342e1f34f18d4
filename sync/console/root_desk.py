"""Draws up the next root: who may sign what from then on. It is signed by the root keys of before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sync.console.card import Card
from sync.console.hands import HERE
from sync.protocol import signing
from sync.protocol.documents import Admin, Key, Role, Root
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS, DEVICES_MAX

DIGITS_MIN: Final = 8
ROLES: Final = ("root", "policy")
DELAY_MAX_MS: Final = 30 * DAY_MS
_PEOPLE_FOR_MANY: Final = 2


def with_admin(root: Root, cards: Sequence[Card]) -> Root:
    """The next root, with one more admin. Raises KnownError."""
    _refuse_other_purpose(cards, "order")
    id_ = cards[0].admin_id
    if not id_ or any(card.admin_id != id_ for card in cards):
        raise KnownError(_("These keys are of several people."), _("Enter the keys of one admin at a time."))
    if any(admin.admin_id == id_ for admin in root.admins):
        raise KnownError(
            _("The root names this admin already."), _("Enter another key with: fieldkeep-admin root key-add")
        )
    added = Admin(admin_id=id_, credentials=[card.credential for card in cards])
    return _next(root, admins=[*root.admins, added])


def with_keys(root: Root, cards: Sequence[Card]) -> Root:
    """The next root, with more keys of admins whom it names already. Raises KnownError."""
    _refuse_other_purpose(cards, "order")
    known = {admin.admin_id for admin in root.admins}
    if any(card.admin_id not in known for card in cards):
        raise KnownError(
            _("The root names no such admin."), _("Enter a new one with: fieldkeep-admin root admin-add")
        )
    admins = [
        msgspec.structs.replace(
            admin,
            credentials=[
                *admin.credentials,
                *(card.credential for card in cards if card.admin_id == admin.admin_id),
            ],
        )
        for admin in root.admins
    ]
    return _next(root, admins=admins)


def without_key(root: Root, digits: str) -> Root:
    """The next root, without a lost key of an admin, and without an admin whose last it was. Raises KnownError."""
    wanted = "".join(digits.split()).lower()
    every = [signing.keyid(each.spki) for admin in root.admins for each in admin.credentials]
    found = [name for name in every if name.startswith(wanted)]
    if len(wanted) < DIGITS_MIN or len(found) != 1:
        raise KnownError(
            _("No key of an admin, or more than one, begins with these digits."),
            _("See: fieldkeep-admin root show"),
        )
    admins = [
        msgspec.structs.replace(
            admin, credentials=[each for each in admin.credentials if signing.keyid(each.spki) != found[0]]
        )
        for admin in root.admins
    ]
    return _next(root, admins=[admin for admin in admins if admin.credentials])


def without_admin(root: Root, id_: str) -> Root:
    """The next root, without an admin. Raises KnownError."""
    left = [admin for admin in root.admins if admin.admin_id != id_.strip()]
    if len(left) == len(root.admins):
        raise KnownError(_("The root names no such admin."), _("See: fieldkeep-admin root show"))
    return _next(root, admins=left)


def rolled(root: Root, role: str, cards: Sequence[Card], threshold: int) -> Root:
    """The next root, with these keys in place of all that a role had. Raises KnownError."""
    _refuse_other_purpose(cards, role)
    keys = [Key(alg=signing.ED25519, spki=card.spki) for card in cards]
    fresh = Role(keys=keys, threshold=threshold)
    return _next(root, root=fresh) if role == "root" else _next(root, policy=fresh)


def with_rule(root: Root, **changed: int) -> Root:
    """The next root, with another rule of what a wipe needs. Raises KnownError."""
    return _next(root, wipe=msgspec.structs.replace(root.wipe, **changed))


def refuse_unsound(root: Root) -> None:
    """Refuse a root under which nobody could act, or one person could act as two. Raises KnownError."""
    keys = [each.spki for admin in root.admins for each in admin.credentials]
    if len(set(keys)) != len(keys):
        raise KnownError(_("A key would stand in the root twice."), _("Each key is of one person."))
    if len({admin.admin_id for admin in root.admins}) != len(root.admins):
        # Devices count the keys of both, and whoever reads the root may see those of one.
        raise KnownError(
            _("An admin would stand in the root twice."), _("All keys of a person stand together.")
        )
    for role in (root.root, root.policy):
        names = {key.spki for key in role.keys}
        if not 1 <= role.threshold <= len(names) or len(names) != len(role.keys):
            raise KnownError(_("Fewer keys would be there than have to sign."))
    rule = root.wipe
    if rule.threshold < 1 or rule.threshold_many < max(_PEOPLE_FOR_MANY, rule.threshold):
        raise KnownError(_("A wipe of several devices takes two people at least."))
    if not 1 <= rule.max_devices <= DEVICES_MAX:
        raise KnownError(_("An order names {n} devices at most.").format(n=DEVICES_MAX))
    if not 0 <= rule.delay_ms <= DELAY_MAX_MS:
        raise KnownError(_("A wipe cannot wait that long."))
    if len(root.admins) < rule.threshold:
        raise KnownError(_("Fewer admins would be there than a wipe needs."), _("Enter another one first."))


def _next(before: Root, **changed: object) -> Root:
    following = msgspec.structs.replace(before, version=before.version + 1, **changed)
    missing = _missing(following)
    if missing > _missing(before):  # a root that is short of admins already can be mended step by step
        raise KnownError(
            _(
                "Fewer admins would be there than a wipe of several devices needs: {need}, and there are {have}."
            ).format(need=following.wipe.threshold_many, have=len(following.admins)),
            _(
                "Enter another one first, or have the rule ask for fewer: fieldkeep-admin root rule --many {n}"
            ).format(n=max(_PEOPLE_FOR_MANY, len(following.admins))),
        )
    webauthn = any(each.alg == signing.WEBAUTHN for admin in following.admins for each in admin.credentials)
    if webauthn and (following.signer is None or following.signer.rp_id == HERE.rp_id):
        # A root of an earlier version names no port, and devices take exact places alone.
        following = msgspec.structs.replace(following, signer=HERE)
    refuse_unsound(following)
    return following


def _missing(root: Root) -> int:
    """How many admins a wipe of several devices lacks. Two people are what every such wipe takes, even where there is
    one admin yet."""
    return max(0, root.wipe.threshold_many - max(_PEOPLE_FOR_MANY, len(root.admins)))


def _refuse_other_purpose(cards: Sequence[Card], purpose: str) -> None:
    if any(card.purpose != purpose for card in cards):
        raise KnownError(
            _("This is not a key for “{purpose}”.").format(purpose=purpose),
            _("Make one with: fieldkeep-admin --keys DIR keys new {purpose} --label NAME").format(
                purpose=purpose
            ),
        )
