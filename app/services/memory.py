"""What a device remembers while a session holds it: the guarded state, and the time that may be relied on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from app.errors import AppError, KeyringUnreachable
from app.keys import trusted_time
from app.keys.state import State
from app.keys.trusted_time import Witness

Change = Callable[[State], State]
FLOOR_STEP_MS: Final = 60_000  # the floor of trusted time is written down when it has risen by this much

TURNED_MS: Final = (
    1_000  # by which a clock may go against the server's between two exchanges without being turned
)


class Guarded(Protocol):
    """Where the state is kept."""

    def save(self, state: State) -> None:
        """Keep it, durably. Raises KeyringUnreachable once the file holds it; NoSpace and other AppErrors."""

    def vouch(self, data: bytes) -> str:
        """A mac that only this device's ring key makes."""

    @property
    def epoch(self) -> int:
        """The epoch of that ring key."""

    def both(self, epoch: int) -> None:
        """From now on each state is proven by the ring key of this epoch, too. Raises AppError."""

    def turned(self) -> None:
        """From now on it is proven by that one alone."""

    def close(self) -> None:
        """Let the key go."""


class Memory:
    """The guarded state, changed by a person's thread and the engine's in turn, each on what the other has left."""

    def __init__(self, guarded: Guarded, state: State) -> None:
        self._guarded = guarded
        self._state = self._kept = state
        self._turn = threading.RLock()
        self._wiped = False
        self.on_change: Callable[[State, State], None] = lambda before, after: None

    @property
    def state(self) -> State:
        """The state, as it was last kept but for a minute of contact."""
        return self._state

    def alter(self, change: Change) -> None:
        """Change the state, durably. Raises AppError."""
        with self._turn:
            state = change(self._state)
            if self._wiped:
                self._take(state)
                return
            try:
                self._guarded.save(state)
            except KeyringUnreachable:
                self._kept = state
                self._take(state)  # the file holds it; only the keyring's copy of the numbers is behind
                raise
            self._kept = state
            self._take(state)

    def note(self, change: Change) -> None:
        """Remember when the server was met and what time it gave: durably where that matters, at the latest with the
        next change that is kept, or when the session ends. Raises AppError.

        What a crash takes is a minute of it. By less than that the floor of trusted time rises without being written
        down anyhow, and silence is counted in hours: a device that forgets a minute of contact locks a minute early. A
        time that is earlier, another boot and a clock that was turned are written down at once: the next start judges
        by them.
        """
        with self._turn:
            state, kept = change(self._state), self._kept
            if state == self._state or _little(kept, state):
                self._take(state)
            else:
                self.alter(lambda _state: state)

    def set(self, **fields: object) -> None:
        """Change these fields of the state, durably. Raises AppError."""
        self.alter(lambda state: msgspec.structs.replace(state, **fields))

    def vouched_by(self) -> tuple[int, Callable[[bytes], str]]:
        """The epoch of this device's ring key, and what only that key makes: a mac over what it vouches for."""
        with self._turn:
            return self._guarded.epoch, self._guarded.vouch

    def turn(self, epoch: int, before: Change, switch: Callable[[], None], after: Change) -> None:
        """Have the ring key of this epoch guard the state: `before` is kept under both keys, then `switch` puts the
        header in its place, then `after` is kept under the new one alone.

        Raises AppError, and what `switch` raises; from where it broke off, both keys guard the state.
        """
        with self._turn:
            self._guarded.both(epoch)
            self.alter(before)
            switch()
            self._guarded.turned()
            self.alter(after)

    def reading(self) -> trusted_time.Reading:
        """What time it is, and what is odd about it."""
        sample = trusted_time.system_clock()
        return trusted_time.read(
            self._state.anchor, self._state.t_floor, sample.wall_ms, sample.boottime_ns, sample.boot_id
        )

    def now(self) -> int:
        """Trusted UTC milliseconds."""
        return self.reading().now

    def witness(self) -> Witness:
        """How long this machine has run since the last contact."""
        state = self._state
        sample = trusted_time.system_clock()
        return trusted_time.witnessed(state.anchor, state.witness, state.last_contact, sample)

    def raise_floor(self) -> None:
        """Write down the floor of trusted time, and how long this machine ran in silence, once they have risen far
        enough; and in which boot a lock was found that does not say since when it stands."""
        state, floor, witness = self._state, self.reading().floor, self.witness()
        known = state.witness if state.witness is not None and state.witness.since == witness.since else None
        another = known is not None and known.boot_id != witness.boot_id  # or what was counted in it is lost
        counted = witness.counted_ms - (known.counted_ms if known is not None else 0)
        undated = state.stage == "lock_crypto" and not state.locked_in and witness.boot_id != ""
        if max(floor - state.t_floor, counted) >= FLOOR_STEP_MS or another or undated:
            since = witness.boot_id if undated else state.locked_in
            with contextlib.suppress(AppError):  # a full disk must not keep anybody from their customers
                self.set(t_floor=max(floor, state.t_floor), witness=witness, locked_in=since)

    def forget(self) -> None:
        """This device is wiped: nothing of the state is written any more, not at the end either."""
        self._wiped = True

    def close(self) -> None:
        """Let the key go; what was only remembered is written down."""
        if self._state != self._kept and not self._wiped:
            with contextlib.suppress(AppError):  # a minute of contact is not worth more
                self.alter(lambda state: state)
        self._guarded.close()

    def _take(self, state: State) -> None:
        self.on_change(self._state, state)
        self._state = state


def _little(kept: State, state: State) -> bool:
    """Whether a crash may take what `state` says beyond `kept`: a little later by the same clocks, no more."""
    before, after = kept.anchor, state.anchor
    if before is None or after is None or before.boot_id != after.boot_id or not after.boot_id:
        return False
    turned = (after.wall - after.server_time) - (before.wall - before.server_time)
    rest = msgspec.structs.replace(state, anchor=before, t_floor=kept.t_floor, last_contact=kept.last_contact)
    return (
        rest == kept
        and abs(turned) < TURNED_MS
        and 0 <= state.t_floor - kept.t_floor < FLOOR_STEP_MS
        and 0 <= state.last_contact - kept.last_contact < FLOOR_STEP_MS
    )
