"""A policy tried on the fleet before it is signed: what would become of each device, by what it last told of itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sync.console.policy_words import RUNG_WORDS
from sync.protocol import ladder
from sync.protocol.desk import DeviceView
from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError
from sync.protocol.facts import Facts
from sync.protocol.joins import listed
from sync.protocol.ladder import Judgement, Rung
from sync.protocol.signals import SIGNALS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

NAMES_MAX: Final = 8  # devices named in one line
_LIVING: Final = ("active", "locked")


class Effect(msgspec.Struct, frozen=True):
    """What the policy in force makes of a device at its next contact, and what another one would."""

    device: DeviceView
    before: Judgement
    after: Judgement
    untold: frozenset[str] = (
        frozenset()
    )  # signals that the other policy asks for and the device does not tell

    @property
    def locks(self) -> bool:
        """Whether it would be locked, and is not now."""
        return self.after.rung >= Rung.LOCK_UI > self.before.rung

    @property
    def stricter(self) -> bool:
        """Whether it would stand on a stricter rung."""
        return self.after.rung > self.before.rung

    @property
    def milder(self) -> bool:
        """Whether it would stand on a milder rung."""
        return self.after.rung < self.before.rung

    @property
    def unknown(self) -> bool:
        """Whether what it does not tell of itself sets its rung."""
        return bool(self.after.reasons) and self.after.reasons[0].unknown


def tried(before: Policy, after: Policy, devices: Iterable[DeviceView], now: int) -> list[Effect]:
    """What would become of every living device once the policy reaches it: at a contact, which ends its silence."""
    found = []
    for device in devices:
        if device.state in _LIVING:
            facts = _facts(device, now)
            untold = ladder.untold(after, facts)
            found.append(Effect(device, ladder.judge(before, facts), ladder.judge(after, facts), untold))
    return found


def _facts(device: DeviceView, now: int) -> Facts:
    known = {"app_version": device.app_version} if device.app_version else {}
    return Facts(now=now, silent_ms=0, posture={**known, **device.posture})


class Group(msgspec.Struct, frozen=True):
    """Devices to which one thing would happen, and how it is said: "{n} devices would be locked:"."""

    said: str
    effects: list[Effect]
    locks: bool = False


def groups(effects: Sequence[Effect]) -> list[Group]:
    """A group for each rung that devices would come to, the strictest first, and one of those that would be freed."""
    found = []
    for rung in (Rung.LOCK, Rung.LOCK_UI, Rung.RESTRICT, Rung.WARN):
        there = [each for each in effects if each.stricter and each.after.rung is rung]
        if there:
            text = _come_to(rung, len(there)).format(n=len(there))
            found.append(Group(text, there, any(each.locks for each in there)))
    freed = [each for each in effects if each.milder]
    if freed:
        text = ngettext(
            "{n} device would be freed of something:", "{n} devices would be freed of something:", len(freed)
        )
        found.append(Group(text.format(n=len(freed)), freed))
    return found


def silent(effects: Sequence[Effect]) -> list[tuple[str, list[DeviceView]]]:
    """The signals that the policy asks for, in words, each with the devices that do not tell it."""
    names = dict.fromkeys(name for each in effects for name in sorted(each.untold))
    return [
        (
            _(SIGNALS[name].label) if name in SIGNALS else name,
            [each.device for each in effects if name in each.untold],
        )
        for name in names
    ]


def in_words(effects: Sequence[Effect]) -> list[str]:
    """A sentence for each rung that devices would come to, the strictest first."""
    lines = [f"{group.said} {_named(group.effects)}" for group in groups(effects)]
    dark = [each for each in effects if each.stricter and each.unknown]
    if dark:
        text = ngettext(
            "{n} of these only because it does not tell what is asked.",
            "{n} of these only because they do not tell what is asked.",
            len(dark),
        )
        lines.append(text.format(n=len(dark)))
    if not lines:
        lines.append(_("No device would stand otherwise than now."))
    return lines


def of_pins(before: Policy, after: Policy) -> list[str]:
    """What another rule for PINs does; the server knows of no device whether it has one, or how long it is."""
    asked = before.pin.min_len if before.pin.required else 0
    if not after.pin.required or after.pin.min_len <= asked:
        return []
    text = ngettext(
        "A device without a PIN of {n} character at least stays locked at its next opening until one is chosen there.",
        "A device without a PIN of {n} characters at least stays locked at its next opening until one is chosen there.",
        after.pin.min_len,
    )
    return [text.format(n=after.pin.min_len), _("Which devices those are, the server does not know.")]


def _come_to(rung: Rung, n: int) -> str:
    if rung is Rung.WARN:
        return ngettext("{n} device would be warned:", "{n} devices would be warned:", n)
    if rung is Rung.RESTRICT:
        return ngettext("{n} device would be restricted:", "{n} devices would be restricted:", n)
    if rung is Rung.LOCK_UI:
        return ngettext(
            "The window of {n} device would be locked:", "The windows of {n} devices would be locked:", n
        )
    return ngettext("{n} device would be locked:", "{n} devices would be locked:", n)


def refuse_unmeant(effects: Sequence[Effect], meant: int | None, step: str = "") -> None:
    """Refuse to lock devices unless it was said how many; `step` says where that is said. Raises KnownError."""
    locked = [each for each in effects if each.locks]
    if len(locked) == (meant or 0):
        return
    text = ngettext(
        "This policy would lock {n} device: {names}",
        "This policy would lock {n} devices: {names}",
        len(locked),
    )
    raise KnownError(
        text.format(n=len(locked), names=_named(locked)),
        (step or _("Nothing was signed. Where it is meant, say how many: --locks {n}")).format(n=len(locked)),
    )


def why(judgement: Judgement) -> str:
    """The signals that set a rung, in words."""
    names = dict.fromkeys(reason.signal for reason in judgement.reasons if reason.rung is judgement.rung)
    said = listed(_(SIGNALS[name].label) if name in SIGNALS else name for name in names)
    return _("{rung} ({signals})").format(rung=_(RUNG_WORDS[judgement.rung]), signals=said) if said else "–"


def _named(effects: Sequence[Effect]) -> str:
    shown = [each.device.name for each in effects[:NAMES_MAX]]
    more = len(effects) - len(shown)
    return listed([*shown, *([_("and {n} more").format(n=more)] if more else [])]) + "."
