"""Acts of the keys room that die, by SIGKILL, at a step of one's choice.

A step is any call that leaves something durable, or is about to: of the keyring's backend, and of the system calls by
which small files are written and removed. Each counts twice, before and after. The acts run in forks of a
process that has everything imported, against the real keyring.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.keys import vault
from app.keys.backends import Backend, system_backend
from app.keys.ring import SystemKeyring
from app.keys.secret import SecretBytes
from app.keys.state import StateFile
from app.paths import Profile
from app.services.memory import Memory
from app.services.rotation import Rotation
from sync.protocol import sealing
from sync.protocol.trust import Floors, Mark

RECOVERY: Final = sealing.public_bytes(X25519PrivateKey.generate())
OLD_PIN: Final = b"111111"
NEW_PIN: Final = b"222222"
DEADLINE: Final = 60

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.keys.dying"])


class _Steps:
    """Counts steps and ends the process, as a power cut would, at the one asked for."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.done = 0

    def here(self) -> None:
        if self.done == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.done += 1

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **named: Any) -> Any:
            self.here()
            result = call(*args, **named)
            self.here()
            return result

        return stepped


class _SteppedBackend:
    """The real backend, with a step around each change of it."""

    def __init__(self, steps: _Steps, backend: Backend) -> None:
        self.get = backend.get
        self.present = backend.present
        self.set = steps.around(backend.set)
        self.delete = steps.around(backend.delete)


def killed(act: str, folder: Path, org: str, device: str, step: int) -> bool:
    """Run an act that dies at a step; False when it came to its end first."""
    process = _forks.Process(target=_run, args=(act, str(folder), org, device, step))
    process.start()
    process.join(DEADLINE)
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"{act} at step {step} ended with {process.exitcode}")
    return process.exitcode != 0


def _run(act: str, folder: str, org: str, device: str, step: int) -> None:
    steps = _Steps(step)
    for owner, name in ((os, "fsync"), (os, "open"), (Path, "replace"), (Path, "unlink")):
        setattr(owner, name, steps.around(getattr(owner, name)))
    ring = SystemKeyring(org, device, backend=_SteppedBackend(steps, system_backend(15.0)))
    ACTS[act](Profile(Path(folder)), ring, org, device)
    os._exit(0)


def _create(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    vault.create(profile, ring, org=org, device=device)


def _change_pin(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    vault.change_pin(profile, ring, pin=SecretBytes(OLD_PIN), new=SecretBytes(NEW_PIN))


def _drop_share(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    vault.drop_share(profile, ring)


def _restore_share(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    vault.restore_share(profile, ring, (profile.folder.parent / "share").read_bytes())


def _destroy(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    vault.destroy(profile, ring)
    vault.shred_header(profile)


def _save(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    with StateFile(profile, ring) as file:
        state = file.load()
        next_ = state.pin_fail + 1
        floors = Floors(policy=Mark(next_, f"{next_:064x}"))
        file.save(msgspec.structs.replace(state, pin_fail=next_, floors=floors))


def _turn(profile: Profile, ring: SystemKeyring, org: str, device: str) -> None:
    """Change the keys, or go on with it, beside a server that takes every share."""
    guarded = StateFile(profile, ring)
    memory = Memory(guarded, guarded.load())
    rotation = Rotation(profile, ring, memory, days=lambda: 0, recovery=lambda: RECOVERY)
    rotation.resume()
    if memory.state.epoch == 1:
        memory.set(keys_asked=True)
        rotation.heard([rotation.share_as])
        rotation.step_on(lambda: vault.open_key(profile, ring))
        if (given := rotation.to_hand_in()) is not None:
            rotation.handed_in(hashlib.sha256(given.share).digest())
    rotation.step_on(None)
    memory.close()


ACTS: Final = {
    "turn": _turn,
    "create": _create,
    "change_pin": _change_pin,
    "drop_share": _drop_share,
    "restore_share": _restore_share,
    "destroy": _destroy,
    "save": _save,
}
