"""The one table of settings: name, choices, default, label, and whether IT may fix it.

Kept per profile in `settings.json`: nothing personal and nothing secret, and nothing that any rule rests on. So a
damaged or altered file costs the choices made and no more. Beside them stands how large each window was left, and in
which list; never at which record.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.errors import AppError, WrongUse, not_written
from app.paths import Profile, write_whole
from sync.protocol import money
from sync.protocol.joins import listed
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_

WINDOWS: Final = "windows"  # no setting: the sizes in pixels that a window was left with, by its name
SECTION: Final = "section"  # no setting either: the list that the window opens on
LARGEST: Final = 32_000  # pixels; more than any screen has

FILE_MAX: Final = 64 * 2**10  # bytes

_log = logging.getLogger(__name__)


class Setting(msgspec.Struct, frozen=True):
    """One setting: its default, its choices as (value, label), and whether a policy may fix it."""

    name: str
    label: str
    default: str
    choices: tuple[tuple[str, str], ...] = ()  # empty: an ISO 4217 currency
    it_may_fix: bool = False

    def check(self, value: object) -> str:
        """The value made exact. Raises WrongUse with the values that are possible."""
        if self.choices:
            known = tuple(each for each, _label in self.choices)
            if isinstance(value, str) and value in known:
                return value
            raise WrongUse(
                _("There is no such choice for “{setting}”.").format(setting=_(self.label)),
                _("Choices: {names}").format(names=listed(known)),
            )
        if isinstance(value, str) and value.upper() in money.currencies():
            return value.upper()
        raise WrongUse(_("This is not a currency."), _("Write its three letters, such as USD or CNY."))


SETTINGS: Final[dict[str, Setting]] = {
    setting.name: setting
    for setting in (
        Setting(
            "language",
            N_("Language"),
            "auto",
            (("auto", N_("As the system")), ("en", "English"), ("zh_CN", "简体中文"), ("zh_TW", "繁體中文")),
        ),
        Setting(
            "theme",
            N_("Look"),
            "system",
            (("system", N_("As the system")), ("light", N_("Light")), ("dark", N_("Dark"))),
        ),
        Setting(
            "attachments",
            N_("Room for attachments that were opened"),
            "1000",
            (("100", "100 MB"), ("1000", "1 GB"), ("5000", "5 GB"), ("20000", "20 GB")),
            it_may_fix=True,
        ),
        # Sooner than the policy says, never later: app/viewmodels/locking.py.
        Setting(
            "lock_after",
            N_("Lock without use after"),
            "policy",
            (
                ("policy", N_("As IT says")),
                *(("1", N_("1 minute")), ("2", N_("2 minutes")), ("5", N_("5 minutes"))),
                *(("10", N_("10 minutes")), ("15", N_("15 minutes")), ("30", N_("30 minutes"))),
            ),
        ),
        Setting("currency", N_("Currency"), money.DEFAULT_CURRENCY, it_may_fix=True),
    )
}


class Settings(Mapping[str, str]):
    """The settings in force, read-only: what IT has fixed, else what was chosen, else the default."""

    def __init__(
        self, chosen: Mapping[str, object] | None = None, fixed: Mapping[str, str] | None = None
    ) -> None:
        self._chosen = dict(chosen or {})  # with entries of newer versions, so that saving keeps them
        self._fixed = {name: value for name, value in (fixed or {}).items() if _may_fix(name)}

    def __getitem__(self, name: str) -> str:
        setting = SETTINGS[name]
        for source in (self._fixed, self._chosen):
            if name in source:
                try:
                    return setting.check(source[name])
                except WrongUse:  # a choice that this version does not know; the next source serves
                    _log.info("setting %s holds no choice of this version", name)
        return setting.default

    def __iter__(self) -> Iterator[str]:
        return iter(SETTINGS)

    def __len__(self) -> int:
        return len(SETTINGS)

    def is_fixed(self, name: str) -> bool:
        """Whether IT has fixed this setting."""
        return name in self._fixed

    def changed(self, name: str, value: object) -> Settings:
        """The settings with one choice changed. Raises WrongUse for no such setting or choice, AppError when fixed."""
        if name not in SETTINGS:
            raise WrongUse(
                _("There is no setting of this name."),
                _("Settings: {names}").format(names=listed(SETTINGS)),
            )
        if self.is_fixed(name):
            raise AppError(_("IT has fixed this setting."), _("Ask IT if you need another choice."))
        return Settings({**self._chosen, name: SETTINGS[name].check(value)}, self._fixed)

    def sizes(self, window: str) -> tuple[int, ...]:
        """The sizes that a window was left with; empty when it was never left, or when they make no sense."""
        kept = self._chosen.get(WINDOWS)
        found = kept.get(window) if isinstance(kept, dict) else None
        if not isinstance(found, list) or not all(isinstance(each, int) for each in found):
            return ()
        return tuple(found) if all(0 <= each <= LARGEST for each in found) else ()

    def sized(self, window: str, sizes: Sequence[int]) -> Settings:
        """The settings with the sizes that a window is left with."""
        kept = self._chosen.get(WINDOWS)
        windows = {**(kept if isinstance(kept, dict) else {}), window: list(sizes)}
        return Settings({**self._chosen, WINDOWS: windows}, self._fixed)

    @property
    def section(self) -> str:
        """The list that one was in at the end; "" where none is known."""
        found = self._chosen.get(SECTION)
        return found if isinstance(found, str) else ""

    def left_in(self, section: str) -> Settings:
        """The settings with the list that one is in."""
        return Settings({**self._chosen, SECTION: section}, self._fixed)

    def to_bytes(self) -> bytes:
        """The choices as canonical JSON."""
        return msgspec.json.encode(self._chosen, order="sorted")


def load(profile: Profile, fixed: Mapping[str, str] | None = None) -> Settings:
    """The settings of a profile; a file that is gone or damaged gives the defaults."""
    try:
        with profile.settings.open("rb") as file:
            chosen = msgspec.json.decode(file.read(FILE_MAX), type=dict[str, object])
    except FileNotFoundError:
        chosen = {}
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        _log.info("settings could not be read, defaults serve: %s", error)
        chosen = {}
    return Settings(chosen, fixed)


def save(profile: Profile, settings: Settings) -> None:
    """Keep the choices. Raises NoSpace or AppError when the file cannot be written; the old one stands."""
    try:
        write_whole(profile.settings, settings.to_bytes())
    except OSError as error:
        raise not_written(error) from None


def _may_fix(name: str) -> bool:
    return name in SETTINGS and SETTINGS[name].it_may_fix
