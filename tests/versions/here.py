"""The program of today on a recorded profile: its keys in the keyring, its clock at the moment it was recorded."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.keys import trusted_time
from app.keys.ring import SystemKeyring
from app.keys.trusted_time import Sample
from app.paths import Profile
from app.services import syncing
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Syncing
from app.store.reader import Reader
from app.store.records import find_row
from sync.client.errors import ServerRefused
from sync.protocol import codec
from sync.protocol.messages import Trouble
from tests import forks
from tests.versions.kept import Unpacked
from tests.versions.story import PROFILE
from tests.versions.town import Recorded

LATER_MS: Final = 60_000  # it is opened a minute after it was recorded, on another machine
_BOOT: Final = "another boot"


class Here:
    """A copy of the recorded profile, ready to be opened."""

    def __init__(self, kept: Unpacked, folder: Path, patch: pytest.MonkeyPatch) -> None:
        shutil.copytree(kept.folder / PROFILE, folder)
        self.profile = Profile(folder)
        self.at = kept.of.ended + LATER_MS
        self._patch = patch
        card = json.loads(self.profile.device.read_text(encoding="utf-8"))
        ring = SystemKeyring(card["org"], card["device"])
        for name, value in kept.json("keyring.json").items():
            ring.set(name, value)

    def says(self, *words: str) -> Any:
        """What `fieldkeep … --json` answers now; it has to succeed."""
        clock = {"wall_ms": self.at - time.time_ns() // 1_000_000, "boot_id": _BOOT}
        asked = {"clock": clock, "words": ["--profile", str(self.profile.folder), *words, "--json"]}
        done = forks.run("tests.acts:command", [json.dumps(asked)])
        assert done.code == 0, done.err
        return done.json

    @contextlib.contextmanager
    def session(self, town: Recorded) -> Iterator[tuple[Session, Syncing]]:
        """Its session in this process, and the exchange with this server; the network alone is left out."""
        skew = self.at - time.time_ns() // 1_000_000
        system_clock = trusted_time.system_clock

        def turned() -> Sample:
            now = system_clock()
            return Sample(now.wall_ms + skew, now.boottime_ns, _BOOT)

        with self._patch.context() as patch:
            patch.setattr(trusted_time, "system_clock", turned)
            patch.setattr(syncing, "Https", lambda url, trust: Direct(town))
            town.turn_to(self.at)
            with open_session(self.profile) as session:
                exchange = Syncing(session)
                yield session, exchange
                exchange.close()


class Direct:
    """A transport without a network."""

    def __init__(self, town: Recorded) -> None:
        self._town = town

    def get(self, path: str) -> bytes:
        """The body of a GET."""
        return self._asked("GET", path, b"", {})

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """The body of the answer to a POST."""
        return self._asked("POST", path, body, headers)

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """A POST, and what gives the body of its answer."""
        return lambda: self.post(path, body, headers, media)

    def close(self) -> None:
        """Nothing is open."""

    def _asked(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
        status, answer = self._town.send(method, path, body, headers)
        if status != 200:
            trouble = codec.read(codec.decode(answer)[0][1], Trouble)
            raise ServerRefused(trouble, trouble.title, trouble.hint)
        return answer


def cells_of(store: Reader, id_: bytes) -> dict[str, Any]:
    """What a device of today holds of a record, in the form of the wire."""
    shape, stored = find_row(store, id_)
    return {cell: value for cell, value in shape.cells(stored).items() if value is not None}
