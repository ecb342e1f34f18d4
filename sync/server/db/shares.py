"""The contract for shares of devices in a server store: each by the epoch of the keys that it belongs to."""

from __future__ import annotations

from typing import Protocol


class Shares(Protocol):
    """What the server holds of the devices' keys; epoch 0 is the enrolment's."""

    def share(self, enrolment: str, epoch: int = 0) -> bytes | None:
        """The server's copy of the device's share of an epoch."""

    def shares(self, enrolment: str) -> list[int]:
        """The epochs of which the device's share is held."""

    def count_shares(self, enrolment: str) -> int:
        """Of how many epochs something is held, sealed copies alone included."""

    def sealed_share(self, enrolment: str) -> tuple[int, bytes] | None:
        """Epoch and sealed copy of a share that is lost but for that copy."""

    def put_share(self, enrolment: str, share: bytes, sealed: bytes, epoch: int = 0) -> None:
        """Keep a share of the device, and the copy sealed to the recovery key; b"" where only that is left."""

    def drop_share(self, enrolment: str, but: int = -1) -> None:
        """Forget all copies, but for those of one epoch."""
