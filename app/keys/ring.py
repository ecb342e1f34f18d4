"""The keyring of the system: small secrets by name, for one device of one organisation.

Three answers are kept apart, since taking one for another has cost people their data: the value; None, when the
keyring answers and has no such entry; KeyringUnreachable for everything else (locked, hanging, dead, not to be trusted,
or giving back something that we never stored).

A call that runs out of time is not taken back: a prompt may still be open, and a `set` may still land. So calls take
turns, and while one is overdue all others are refused at once. No late `set` overtakes a newer one.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from app.errors import AppError, KeyringUnreachable
from app.keys.backends import Backend, system_backend
from sync.protocol.texts import gettext as _

DEV: Final = "dev"  # the device's signing key; the last to go in a wipe, since it signs the receipt
ENC: Final = "enc"  # the device's sealing key
HIGH_WATER: Final = "hw"  # the highest document numbers seen
TRUST: Final = "trust"  # a digest of root and enrolment: whom to believe when no file holds
WIPING: Final = "wiping"  # the sum of the intent of a wipe by silence, which no signed order proves
EPOCH: Final = "epoch"  # the highest epoch of which keys may exist, once they were ever changed
RESET: Final = "reset"  # only between IT's leave to choose a new PIN and that PIN
ENROLLING: Final = "enrolling"  # the entries of a device that is not enrolled yet may be taken back

VALUE_MAX: Final = 64  # characters: Windows holds 1,280; lower-case hex, since a newline breaks GNOME Keyring
TIMEOUT: Final = 15.0  # seconds for a call as a whole
_DELETE_ROUNDS: Final = (
    8  # each round deletes what is found; a keyring that keeps finding more is not deleting
)

_NAME: Final = re.compile(r"[a-z]{1,16}(\.[1-9][0-9]{0,8})?")
_PART: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_VALUE: Final = re.compile(rf"[0-9a-f]{{1,{VALUE_MAX}}}")

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Keyring(Protocol):
    """Small secrets of one device by name; values are lower-case hex of at most 64 digits."""

    def get(self, name: str) -> str | None:
        """The value, or None when the keyring has positively no such entry. Raises KeyringUnreachable."""

    def set(self, name: str, value: str) -> None:
        """Keep a value and read it back. Raises KeyringUnreachable, ValueError for what is not such a value."""

    def delete(self, name: str) -> bool:
        """Delete every copy of an entry; True when none is found any more. Raises KeyringUnreachable."""


def ring_name(epoch: int) -> str:
    """The entry of the ring key of an epoch."""
    return f"ring.{epoch}"


def share_name(epoch: int) -> str:
    """The entry of the share of an epoch, which the server holds too."""
    return f"share.{epoch}"


def service_name(org: str, device: str) -> str:
    """The name under which a device's entries are filed. Raises ValueError for ids that could be read two ways."""
    if not _PART.fullmatch(org) or not _PART.fullmatch(device):
        raise ValueError("organisation and device are ids")
    return f"fieldkeep/{org}/{device}"


class SystemKeyring:
    """The keyring of this system for one device; `timeout` in seconds bounds every call as a whole."""

    def __init__(
        self, org: str, device: str, *, timeout: float = TIMEOUT, backend: Backend | None = None
    ) -> None:
        self._service = service_name(org, device)
        self._timeout = timeout
        self._backend = backend
        self._turn = threading.Lock()
        self._overdue = False

    def get(self, name: str) -> str | None:
        """The value, or None when the keyring has positively no such entry. Raises KeyringUnreachable."""
        _check_name(name)

        def work(backend: Backend) -> str | None:
            return self._read(backend, name)

        return self._ask("get", work)

    def set(self, name: str, value: str) -> None:
        """Keep a value and read it back. Raises KeyringUnreachable, ValueError for what is not such a value."""
        _check_name(name)
        if not _VALUE.fullmatch(value):
            raise ValueError("the keyring takes lower-case hex of at most 64 digits")

        def work(backend: Backend) -> None:
            backend.set(self._service, name, value)
            if self._read(backend, name) != value:
                raise KeyringUnreachable(
                    _("The system keyring does not keep what it is given."),
                    _("Check the keyring of your system, then try again."),
                )

        self._ask("set", work)

    def delete(self, name: str) -> bool:
        """Delete every copy of an entry; True when none is found any more. Raises KeyringUnreachable."""
        _check_name(name)

        def work(backend: Backend) -> bool:
            for _round in range(_DELETE_ROUNDS):
                if not backend.present(self._service, name):
                    return True
                backend.delete(self._service, name)
            return not backend.present(self._service, name)

        return self._ask("delete", work)

    def _read(self, backend: Backend, name: str) -> str | None:
        value = backend.get(self._service, name)
        if value is not None and not _VALUE.fullmatch(value):
            raise KeyringUnreachable(
                _("The system keyring gave back a damaged entry."),
                _("Nothing was changed. Restore the keyring of your system, or ask IT."),
            )
        return value

    def _tried(self, verb: str, work: Callable[[Backend], T], answers: list[T]) -> bool:
        """Whether the keyring answered, into `answers`. Raises AppError."""
        try:
            if self._backend is None:
                self._backend = system_backend(self._timeout)
            answers.append(work(self._backend))
        except AppError:
            raise
        except Exception as error:  # noqa: BLE001 - D-Bus, Win32 and Keychain each raise what they like
            # Its text is not ours and may name what must not be named; the type is enough to look it up.
            _log.info("keyring %s failed: %s", verb, type(error))
            return False
        return True

    def _ask(self, verb: str, work: Callable[[Backend], T]) -> T:
        """Run `work` in a thread of its own, so that a keyring that hangs costs `timeout` and no more."""
        if not self._turn.acquire(timeout=0 if self._overdue else self._timeout):
            raise no_answer()
        answers: list[T] = []
        problems: list[AppError] = []
        done = threading.Event()

        def run() -> None:
            try:
                # Twice, for a busy daemon loses an item between two of its own calls; each of ours may be repeated.
                if not self._tried(verb, work, answers) and not self._tried(verb, work, answers):
                    problems.append(no_answer())
            except AppError as error:
                problems.append(error)
            finally:
                self._overdue = False
                self._turn.release()
                done.set()

        threading.Thread(target=run, name=f"keyring-{verb}", daemon=True).start()
        if not done.wait(self._timeout):
            self._overdue = True
            _log.info("keyring %s ran out of time", verb)
            raise no_answer()
        if problems:
            raise problems[0]
        return answers[0]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("not the name of an entry")


def no_answer() -> KeyringUnreachable:
    """What is raised for a keyring that is away."""
    return KeyringUnreachable(
        _("The keyring of your system does not answer, or is locked."),
        _("Unlock it or log in again, then try once more. Nothing was changed."),
    )
