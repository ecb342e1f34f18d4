"""Where a device keeps its files, and how a small file is written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

import msgspec

PRIVATE_DIR: Final = 0o700
PRIVATE_FILE: Final = 0o600


def default_profile() -> Path:
    """The folder of the one profile people usually have: local, never roaming."""
    import platformdirs  # who names a profile needs no standard one

    return Path(platformdirs.user_data_dir("fieldkeep", appauthor=False, roaming=False)) / "default"


_NAMED: Final = (
    "root", "policy", "lease", "device", "enrolling", "state", "header", "header_next", "blobs", "unsent_blobs",
    "sealed_outbox", "sealed_lost", "log", "temp", "orders", "settings", "unfinished", "wipe_intent", "wipe_receipt",
    "tombstone", "one_opener",
)  # fmt: skip


class Profile(msgspec.Struct, frozen=True):
    """The folder of one device and the names in it."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root envelope in force."""
        return self.folder / "root.json"

    @property
    def policy(self) -> Path:
        """The policy envelope in force."""
        return self.folder / "policy.json"

    @property
    def lease(self) -> Path:
        """The last lease envelope."""
        return self.folder / "lease.json"

    @property
    def device(self) -> Path:
        """Who this device is: organisation, device, enrolment, person, server; nothing secret."""
        return self.folder / "device.json"

    @property
    def state(self) -> Path:
        """The guarded small state, with its mac."""
        return self.folder / "state.json"

    @property
    def header(self) -> Path:
        """The wrapped data key."""
        return self.folder / "store.hdr"

    @property
    def header_next(self) -> Path:
        """The header of the keys that take the place of those in force, until they do."""
        return self.folder / "store.hdr.next"

    @property
    def store(self) -> Path:
        """The SQLCipher store."""
        return self.folder / "store.db"

    @property
    def store_before(self) -> Path:
        """The store as it was before a newer version changed its file, until the changed one has opened well."""
        return self.folder / "store.db.before"

    @property
    def store_coming(self) -> Path:
        """A store that is being made anew, until it takes the place of one that does not hold."""
        return self.folder / "store.db.coming"

    @property
    def store_aside(self) -> Path:
        """A file that stood in the store's place and that this device's key does not open; kept, and never used."""
        return self.folder / "store.db.aside"

    @property
    def blobs(self) -> Path:
        """Encrypted attachments."""
        return self.folder / "blobs"

    @property
    def unsent_blobs(self) -> Path:
        """Encrypted attachments that the server does not have yet."""
        return self.folder / "blobs.unsent"

    @property
    def sealed_outbox(self) -> Path:
        """Unsent work, sealed to the recovery key."""
        return self.folder / "outbox.seal"

    @property
    def sealed_lost(self) -> Path:
        """Sealed records that the store does not know: work that it may have lost, kept for IT."""
        return self.folder / "outbox.lost.seal"

    @property
    def settings(self) -> Path:
        """What this person chose: language, theme, currency; nothing secret."""
        return self.folder / "settings.json"

    @property
    def unfinished(self) -> Path:
        """Which files for a person are begun and not in their place yet; there only while any is."""
        return self.folder / "unfinished.json"

    @property
    def log(self) -> Path:
        """Logs without personal data."""
        return self.folder / "log"

    @property
    def temp(self) -> Path:
        """Files of the running session."""
        return self.folder / "tmp"

    @property
    def orders(self) -> Path:
        """Verified orders that wait to be obeyed or reported, as received."""
        return self.folder / "orders.json"

    @property
    def wipe_intent(self) -> Path:
        """From its first byte on, the store does not open again."""
        return self.folder / "wipe.intent"

    @property
    def wipe_receipt(self) -> Path:
        """The signed receipt until the server holds it."""
        return self.folder / "wipe.receipt"

    @property
    def tombstone(self) -> Path:
        """What is left of a wiped device."""
        return self.folder / "tombstone.json"

    @property
    def enrolling(self) -> Path:
        """What an enrolment under way has made."""
        return self.folder / "enrolling.json"

    @property
    def one_opener(self) -> Path:
        """Locked by the process that has the profile open."""
        return self.folder / "profile.lock"

    def is_ours(self, name: str) -> bool:
        """Whether a file or folder of this name in the profile is one that Fieldkeep made."""
        store = self.store.name
        files = (store, self.store_before.name, self.store_coming.name, self.store_aside.name)
        known = {
            "root.coming.json", *files,
            *(file + end for file in files for end in ("-wal", "-shm", "-journal")),
            *(getattr(self, each).name for each in _NAMED),
        }  # fmt: skip
        return name.removesuffix(".tmp") in known

    def make(self) -> None:
        """Make the folder, for its person alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):
            self.folder.chmod(PRIVATE_DIR)


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path` so that a crash leaves the old file or the new one; raises OSError."""
    temporary = path.with_name(path.name + ".tmp")
    clear(temporary)  # what a crash has left, or somebody laid: a link leads to a file of anybody's
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear(path: Path) -> None:
    """Take away what lies at a name of ours, and a folder that somebody laid there with all in it. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file durably; one that is gone already is well."""
    clear(path)
    if path.parent.exists():
        sync_folder(path.parent)
