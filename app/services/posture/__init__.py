"""What this device can tell of itself to policy: read from the system when somebody asks, never guessed.

Each reader gives one part of the posture (sync/protocol/signals.py names the parts) or nothing: what cannot be read is
left out, and the policy's row says what then. Nothing of a person is among it. Readers may be slow, so what was read
serves for a while.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from sync.protocol.facts import TEXT_MAX
from sync.protocol.version import APP_VERSION, PROTOCOL

_LOG = logging.getLogger("app.services.posture")
SERVES_S: Final = 300.0  # as long as what was read serves

Value = str | int | bool


class System(Protocol):
    """What a system can be asked; each answers None where it does not say."""

    def os(self) -> tuple[str, str] | None:
        """Its name and its version."""

    def disk_encryption(self, folder: Path) -> bool | None:
        """Whether the disk that this folder lies on is encrypted."""

    def screen_lock(self) -> tuple[bool, int] | None:
        """Whether the screen locks itself, and after how many seconds without input."""

    def model(self) -> tuple[str, str] | None:
        """Maker and model of the machine."""

    def updates_day(self) -> int | None:
        """The day, counted from 1970, on which its updates were last seen to."""

    def secure_boot(self) -> bool | None:
        """Whether it started with secure boot."""

    def elevated(self) -> bool | None:
        """Whether this program runs with the rights of an administrator."""

    def keyring(self) -> str:
        """The kind of its keyring."""

    def screenshot_protection(self) -> bool:
        """Whether a window can be kept out of screenshots."""


def this_system() -> System:
    """What this system can be asked."""
    system: str = (
        sys.platform
    )  # named, so that the type checker does not take the other systems for dead code
    if system.startswith("linux"):
        from app.services.posture.linux import Linux

        return Linux()
    from app.services.posture import elsewhere

    return elsewhere.MacOs() if system == "darwin" else elsewhere.Windows()


class Posture:
    """What is known of this device; read in the thread that asks, each part once in a while."""

    def __init__(
        self,
        folder: Path,
        system: Callable[[], System] = this_system,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._system = system
        self._passed = passed
        self._turn = threading.Lock()
        self._known: dict[str, tuple[float, dict[str, Value]]] = {}

    def read(self, wanted: Collection[str]) -> dict[str, Value]:
        """These parts, as far as they can be told."""
        found: dict[str, Value] = {}
        for names, read in _READERS.items():
            if not names.isdisjoint(wanted):
                found |= self._once_in_a_while(",".join(sorted(names)), read)
        return {name: value for name, value in found.items() if name in wanted}

    def all(self) -> dict[str, Value]:
        """Every part."""
        return self.read(PARTS)

    def look_again(self) -> None:
        """Believe nothing that was read before: somebody says that it is otherwise now."""
        with self._turn:
            self._known.clear()

    def _once_in_a_while(self, name: str, read: _Reader) -> dict[str, Value]:
        with self._turn:
            now = self._passed()
            known = self._known.get(name)
            if known is None or not 0 <= now - known[0] < SERVES_S:
                known = now, _bounded(_asked(name, read, self._system(), self._folder))
                self._known[name] = known
            return known[1]


_Reader = Callable[[System, Path], Mapping[str, Value | None]]


def _pair(first: str, second: str, found: tuple[Any, Any] | None) -> dict[str, Value | None]:
    return {first: found[0], second: found[1]} if found is not None else {}


_READERS: Final[Mapping[frozenset[str], _Reader]] = {
    frozenset({"app_version", "protocol"}): lambda _s, _f: {"app_version": APP_VERSION, "protocol": PROTOCOL},
    frozenset({"os", "os_version"}): lambda s, _f: _pair("os", "os_version", s.os()),
    frozenset({"disk_encryption"}): lambda s, f: {"disk_encryption": s.disk_encryption(f)},
    frozenset({"screen_lock", "screen_lock_s"}): lambda s, _f: _pair(
        "screen_lock", "screen_lock_s", s.screen_lock()
    ),
    frozenset({"maker", "model"}): lambda s, _f: _pair("maker", "model", s.model()),
    frozenset({"updates_day"}): lambda s, _f: {"updates_day": s.updates_day()},
    frozenset({"secure_boot"}): lambda s, _f: {"secure_boot": s.secure_boot()},
    frozenset({"elevated"}): lambda s, _f: {"elevated": s.elevated()},
    frozenset({"keyring"}): lambda s, _f: {"keyring": s.keyring()},
    frozenset({"screenshot_protection"}): lambda s, _f: {"screenshot_protection": s.screenshot_protection()},
}
PARTS: Final = frozenset(name for names in _READERS for name in names)


def _asked(name: str, read: _Reader, system: System, folder: Path) -> Mapping[str, Value | None]:
    try:
        return read(system, folder)
    except Exception as problem:  # noqa: BLE001 - a system that answers oddly is one that does not say
        _LOG.info("posture: %s could not be read: %s", name, type(problem).__name__)
        return {}


def _bounded(found: Mapping[str, Value | None]) -> dict[str, Value]:
    return {
        name: value[:TEXT_MAX] if isinstance(value, str) else value
        for name, value in found.items()
        if value is not None and value != ""
    }


def is_root() -> bool | None:
    """Whether this process is that of the administrator; None where the system has no such account."""
    effective = getattr(os, "geteuid", None)
    return effective() == 0 if effective is not None else None
