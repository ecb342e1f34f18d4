"""What a policy must be before it is signed and filed: every row understood, every word known, nothing harmful.

A device is milder with what it reads: it may meet a policy of a newer program. Who signs must not write a row that
devices pass over, because of a slip in a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sync.protocol import ladder
from sync.protocol.documents import Policy
from sync.protocol.errors import Refused
from sync.protocol.joins import listed
from sync.protocol.ladder import ROWS_MAX, RUNGS, WIPE
from sync.protocol.signals import SIGNALS, SILENCE
from sync.protocol.texts import gettext as _
from sync.protocol.travel import CLASSES
from sync.protocol.uses import ALLOW, BLOCK, USES

_PARTS: Final = ("signal", "condition", "action", "on_unknown", "uses")
_CLIPBOARD_MAX_S: Final = 24 * 3_600
_KEYS_MAX_D: Final = 3_650
PIN_LEN: Final = (4, 64)  # characters that a policy may ask of a PIN
PIN_TRIES: Final = (3, 100)  # wrong ones before IT alone opens
INACTIVITY_MAX_MIN: Final = 24 * 60


def refuse_unsound(policy: Policy) -> None:
    """Refuse a policy that must not be signed. Raises Refused, which names the row."""
    ladder.refuse_wipes(policy)
    if len(policy.rules) > ROWS_MAX:
        raise _refused(_("A policy has at most {most} rows.").format(most=ROWS_MAX))
    for number, rule in enumerate(policy.rules, 1):
        _row(number, rule)
    for use in USES:
        if getattr(policy.use, use) not in (ALLOW, BLOCK):
            raise _refused(_("What “{use}” says is neither allow nor block.").format(use=use))
    if policy.use.screenshot_unknown not in _milder():
        raise _refused(_("“{word}” is no action.").format(word=policy.use.screenshot_unknown), *_milder())
    if not 0 <= policy.use.clear_clipboard_s <= _CLIPBOARD_MAX_S:
        raise _refused(_("The clipboard is cleared after 0 to {most} seconds.").format(most=_CLIPBOARD_MAX_S))
    _within(_("A PIN has {least} to {most} characters at least."), policy.pin.min_len, PIN_LEN)
    _within(_("A PIN may be wrong {least} to {most} times."), policy.pin.max_attempts, PIN_TRIES)
    minutes = _("The window locks after {least} to {most} minutes without use; 0 is never.")
    _within(minutes, policy.inactivity_min, (0, INACTIVITY_MAX_MIN))
    if policy.travel.stays_home not in CLASSES:
        said = _("“{word}” is no class of care that can stay at home.")
        raise _refused(said.format(word=str(policy.travel.stays_home)[:60]), *CLASSES)
    if not 0 <= policy.keys.rotate_days <= _KEYS_MAX_D:
        raise _refused(_("Keys are changed after 0 to {most} days.").format(most=_KEYS_MAX_D))


def _within(said: str, value: int, bounds: tuple[int, int]) -> None:
    least, most = bounds
    if not least <= value <= most:
        raise _refused(said.format(least=least, most=most))


def _row(number: int, rule: Mapping[str, Any]) -> None:
    name, condition = rule.get("signal"), rule.get("condition", {})
    signal = SIGNALS.get(name) if isinstance(name, str) else None
    if signal is None:
        said = _("Row {n}: there is no signal “{word}”.")
        raise _refused(said.format(n=number, word=str(name)[:60]), *SIGNALS)
    unknown = next((part for part in rule if part not in _PARTS), None)
    if unknown is not None:
        said = _("Row {n} ({signal}): a row has no part “{word}”.")
        raise _refused(said.format(n=number, signal=name, word=unknown[:60]), *_PARTS)
    if not signal.fits(condition):
        said = _("Row {n} ({signal}): its condition has another form.")
        raise _refused(said.format(n=number, signal=name), *signal.parts)
    allowed = (*_milder(), WIPE) if name == SILENCE else _milder()
    _word(number, signal.name, rule.get("action"), allowed)
    if "on_unknown" in rule:
        _word(number, signal.name, rule["on_unknown"], _milder())
    uses = rule.get("uses", [])
    if not isinstance(uses, list) or any(use not in USES for use in uses):
        raise _refused(_("Row {n} ({signal}): these are no uses.").format(n=number, signal=name), *USES)


def _word(number: int, signal: str, word: object, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        said = _("Row {n} ({signal}): “{word}” is no action.")
        raise _refused(said.format(n=number, signal=signal, word=str(word)[:60]), *allowed)


def _milder() -> tuple[str, ...]:
    return tuple(word for word in RUNGS if word != WIPE)


def _refused(said: str, *known: str) -> Refused:
    return Refused("policy_form", said, _("There are: {words}").format(words=listed(known)) if known else "")
