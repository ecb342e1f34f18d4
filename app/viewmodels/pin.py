"""What is said while somebody chooses a PIN: what the policy asks for, and how long this one would hold."""

from __future__ import annotations

from typing import Final

from app.keys.secret import SecretBytes
from app.services.strength import OBVIOUS, TRIES_A_SECOND, Meter
from app.viewmodels.base import Background, Watched
from sync.protocol.documents import PinRule
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
YEAR_S: Final = 365 * DAY_S
CENTURY_S: Final = 100 * YEAR_S


class PinChoice(Watched):
    """One choice of a PIN. Watchers hear of a new word about it."""

    def __init__(self, slow: Background, rule: PinRule) -> None:
        super().__init__()
        self._slow = slow
        self._rule = rule
        self._meter: Meter | None = None
        self._asked = 0
        self._letters = 0
        self._tries: int | None = None
        self._closed = False

    def rule(self) -> str:
        """What the policy asks for."""
        n = self._rule.min_len
        text = ngettext(
            "{n} character at least: digits, or a passphrase of several words.",
            "{n} characters at least: digits, or a passphrase of several words.",
            n,
        )
        return text.format(n=n)

    def said(self) -> str:
        """What there is to say of what is typed by now."""
        if self._letters < self._rule.min_len or self._tries is None:
            return self.rule()
        return words_of(self._tries)

    def unfit(self, letters: int) -> str | None:
        """Why what is typed does not do; None when it does, as far as is known."""
        if letters < self._rule.min_len:
            return self.rule()
        if self._tries is not None and self._letters == letters and self._tries < OBVIOUS:
            return words_of(self._tries)
        return None

    def measure(self, typed: SecretBytes) -> None:
        """Reckon, beside the screen's thread; what is typed is wiped after that."""
        self._asked += 1
        asked = self._asked

        def reckon() -> tuple[int, int | None]:
            with typed:
                if asked != self._asked or self._closed:  # typed on meanwhile
                    return 0, None
                if self._meter is None:
                    self._meter = Meter()
                return typed.letters, self._meter.tries(typed)

        def told(found: tuple[int, int | None]) -> None:
            if asked == self._asked and not self._closed:
                self._letters, self._tries = found
                self.tell()

        self._slow.read(reckon, told)

    def close(self) -> None:
        """End what reckons."""
        self._closed = True

        def end() -> None:
            meter, self._meter = self._meter, None
            if meter is not None:
                meter.close()

        self._slow.read(end, lambda _none: None)


def words_of(tries: int) -> str:
    """How long so many tries hold, said so that nobody takes it for more than it is."""
    if tries < OBVIOUS:
        return _("This is among the first that anybody tries. Choose another one.")
    seconds = tries / TRIES_A_SECOND
    if seconds < CENTURY_S:
        return _(
            "A longer PIN, or a passphrase of several words, is safer: whoever had copied this device’s keyring and"
            " files would find this one in {time}."
        ).format(time=_time(seconds))
    return _("Strong: nobody finds it by trying.")


def _time(seconds: float) -> str:
    if seconds < HOUR_S:
        n = max(1, round(seconds / MINUTE_S))
        return ngettext("{n} minute", "{n} minutes", n).format(n=n)
    if seconds < 2 * DAY_S:
        n = round(seconds / HOUR_S)
        return ngettext("{n} hour", "{n} hours", n).format(n=n)
    if seconds < 2 * YEAR_S:
        n = round(seconds / DAY_S)
        return ngettext("{n} day", "{n} days", n).format(n=n)
    n = round(seconds / YEAR_S)
    return ngettext("{n} year", "{n} years", n).format(n=n)
