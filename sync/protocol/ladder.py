"""Policy held against what is known of a device: rows in, the strictest rung that any of them asks for out; pure.

A row is `{signal, condition, action, on_unknown}`. Several rows may name one signal; their order says nothing. A row
that cannot be evaluated (its signal, its condition or its action are of a newer program, or the device could not
read it) takes its `on_unknown`. Silence alone may wipe, and only by an action, never by what is not known; a policy
that says otherwise is refused when it is signed and when it is read (`refuse_wipes`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from sync.protocol.documents import Policy
from sync.protocol.errors import Refused
from sync.protocol.facts import Facts
from sync.protocol.signals import (
    DAY_MS,
    HOUR_MS,
    SCREENSHOT_PROTECTION,
    SIGNALS,
    SILENCE,
    silent_for_ms,
)
from sync.protocol.texts import gettext as _
from sync.protocol.uses import ALLOW, USES, blocked_by

ROWS_MAX: Final = 100
WIPE_LEAST_D: Final = 14  # no policy wipes after less silence, whoever signed it
WIPE: Final = "wipe"
_WIPES: Final = (WIPE, "wipe_store", "wipe_scope")


class Rung(enum.IntEnum):
    """What a device allows, rising in strictness."""

    ALLOW = 0
    WARN = 1
    RESTRICT = 2  # records are read and written; nothing leaves the program
    LOCK_UI = 3  # the store closes, and its keys stay
    LOCK = 4  # the key's share goes; the server gives it back
    WIPE = 5  # for silence alone


RUNGS: Final[Mapping[str, Rung]] = {
    "allow": Rung.ALLOW,
    "warn": Rung.WARN,
    "restrict": Rung.RESTRICT,
    "lock_ui": Rung.LOCK_UI,
    "lock_crypto": Rung.LOCK,
    WIPE: Rung.WIPE,
}
WORDS: Final[Mapping[Rung, str]] = {rung: word for word, rung in RUNGS.items()}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row as this program understands it; not `known` where it cannot be evaluated."""

    signal: str
    condition: Mapping[str, Any] = {}
    action: Rung = Rung.ALLOW
    on_unknown: Rung = Rung.WARN
    uses: tuple[str, ...] = USES  # what `restrict` takes away
    known: bool = True


class Reason(msgspec.Struct, frozen=True, order=True):
    """Why a device stands where it does: the rung, the signal, and whether it is only not known."""

    rung: Rung
    signal: str
    unknown: bool = False


class Judgement(msgspec.Struct, frozen=True):
    """The strictest rung, all that asks for one above `allow`, the strictest first, and which uses are taken away."""

    rung: Rung = Rung.ALLOW
    reasons: tuple[Reason, ...] = ()
    blocked: frozenset[str] = frozenset()

    @property
    def signal(self) -> str:
        """The signal that set the rung, "" for none."""
        return self.reasons[0].signal if self.reasons else ""


def rows_of(policy: Policy) -> list[Row]:
    """All rows of a policy: those of its rules, those of its times of silence, and that of its screenshots."""
    offline = policy.offline
    rows = [
        Row(signal=SILENCE, condition={"after_h": offline.warn_h}, action=Rung.WARN),
        Row(signal=SILENCE, condition={"after_h": offline.lock_h}, action=Rung.LOCK),
        Row(signal=SILENCE, condition={"after_d": offline.wipe_d}, action=Rung.WIPE),
    ]
    rows += [row_of(rule) for rule in policy.rules[:ROWS_MAX]]
    if policy.use.screenshot != ALLOW:
        said = min(_rung(policy.use.screenshot_unknown) or Rung.WARN, Rung.LOCK)
        rows.append(Row(signal=SCREENSHOT_PROTECTION, on_unknown=said))
    return rows


def row_of(rule: Mapping[str, Any]) -> Row:
    """A row of the document; whatever it holds, the result is one."""
    named, condition, word = rule.get("signal"), rule.get("condition", {}), rule.get("action")
    name = named if isinstance(named, str) else ""
    signal, action = SIGNALS.get(name), _rung(word)
    said = _rung(rule.get("on_unknown", signal.on_unknown if signal else "warn"))
    on_unknown = Rung.WARN if said is None else min(said, Rung.LOCK)
    known = signal is not None and action is not None and signal.fits(condition)
    if action is Rung.WIPE and name != SILENCE:
        action, known = (
            Rung.LOCK,
            False,
        )  # such a policy is refused; should one ever come here, it does not wipe
    return Row(
        signal=name,
        condition=condition if known else {},
        action=action if known and action is not None else Rung.ALLOW,
        on_unknown=on_unknown,
        uses=_uses(rule.get("uses")),
        known=known,
    )


def judge(policy: Policy, facts: Facts, standing: Iterable[Reason] = ()) -> Judgement:
    """The strictest of all rows, and of what stands whatever policy says."""
    return judge_rows(rows_of(policy), facts, standing, blocked_by(policy.use))


def judge_rows(
    rows: Iterable[Row], facts: Facts, standing: Iterable[Reason] = (), blocked: Iterable[str] = ()
) -> Judgement:
    """The same for rows."""
    reasons, taken = set(standing), set(blocked)
    for row in rows:
        met = _met(row, facts)
        rung = row.on_unknown if met is None else row.action if met else Rung.ALLOW
        if rung is Rung.ALLOW:
            continue
        reasons.add(Reason(rung, row.signal, met is None))
        if rung is Rung.RESTRICT:
            taken.update(row.uses)
    ranked = sorted(reasons, key=lambda reason: (-reason.rung, reason.unknown, _place(reason.signal)))
    return Judgement(ranked[0].rung if ranked else Rung.ALLOW, tuple(ranked), frozenset(taken))


def untold(policy: Policy, facts: Facts) -> frozenset[str]:
    """The signals that this policy asks for and these facts do not tell."""
    return frozenset(row.signal for row in rows_of(policy) if _met(row, facts) is None)


def wipes_after_ms(policy: Policy) -> int:
    """After how much silence this policy wipes."""
    return min(silent_for_ms(row.condition) for row in rows_of(policy) if row.action is Rung.WIPE)


def needs_told(policy: Policy) -> frozenset[str]:
    """Which parts of a posture this policy asks for."""
    return frozenset(
        name for row in rows_of(policy) if row.signal in SIGNALS for name in SIGNALS[row.signal].told
    )


def refuse_wipes(policy: Policy) -> None:
    """Refuse a policy that wipes for anything but silence, by what is not known, or too soon. Raises Refused."""
    for rule in policy.rules:
        action, unknown, signal = (rule.get(name) for name in ("action", "on_unknown", "signal"))
        if (action in _WIPES and signal != SILENCE) or unknown in _WIPES:
            raise Refused("policy_wipe", _("A policy that wipes for anything but silence was refused."))
    offline = policy.offline
    if not 0 < offline.warn_h <= offline.lock_h < offline.wipe_d * 24:
        raise Refused(
            "policy_offline",
            _("A policy with an impossible order of warn, lock and wipe was refused."),
            _(
                "A device warns first (warn_h hours), then locks (lock_h hours), then wipes (wipe_d days): put the "
                "three times in this order."
            ),
        )
    after = wipes_after_ms(policy)
    if after < WIPE_LEAST_D * DAY_MS or after <= offline.lock_h * HOUR_MS:
        raise Refused(
            "policy_offline",
            _("A policy that wipes after less than {days} days of silence was refused.").format(
                days=WIPE_LEAST_D
            ),
            _("A device is to be locked first, and a rep may be away for two weeks."),
        )


def _met(row: Row, facts: Facts) -> bool | None:
    return SIGNALS[row.signal].met(row.condition, facts) if row.known else None


def _rung(word: object) -> Rung | None:
    return RUNGS.get(word) if isinstance(word, str) else None


def _uses(said: object) -> tuple[str, ...]:
    """The uses that a row names; all of them where it names none that we know: the stricter reading."""
    named = tuple(use for use in USES if isinstance(said, list) and use in said)
    return named or USES


def _place(signal: str) -> tuple[int, str]:
    names = tuple(SIGNALS)
    return (names.index(signal), "") if signal in SIGNALS else (-1, signal)
