"""The file of orders that wait: each as it came, whole or not there; whoever can write it slips no order in.

Only an order whose digest stands in the guarded state is ever obeyed (papers.py).
"""

from __future__ import annotations

import logging

import msgspec

from app.errors import not_written
from app.paths import Profile, write_whole
from sync.protocol import documents, signing
from sync.protocol.documents import Order
from sync.protocol.errors import Refused

_LOG = logging.getLogger("app.services.kept_orders")


class Pending(msgspec.Struct, frozen=True):
    """A verified order that waits to be obeyed."""

    order: Order
    digest: str
    envelope: bytes = b""  # as it came; of one that an earlier version kept, nothing


class KeptOrders:
    """The orders on file in a profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def add(self, digest: str, data: bytes) -> None:
        """Keep one more. Raises AppError where it cannot be written."""
        kept = self.kept()
        if digest not in kept:
            self.keep({**kept, digest: data})

    def kept(self) -> dict[str, bytes]:
        """The orders on file, by digest. A damaged file holds none: the server shows them again."""
        try:
            orders = msgspec.json.decode(self._profile.orders.read_bytes(), type=list[bytes])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            _LOG.warning("the list of waiting orders cannot be read")
            return {}
        return {documents.digest(_payload(data)): data for data in orders}

    def keep(self, orders: dict[str, bytes]) -> None:
        """Keep these and no others. Raises AppError where they cannot be written."""
        try:
            write_whole(self._profile.orders, msgspec.json.encode(list(orders.values())))
        except OSError as error:
            raise not_written(error) from None


def pending(digest: str, data: bytes) -> Pending:
    """The order that is kept so."""
    payload = _payload(data)
    return Pending(documents.parse(payload, Order), digest, b"" if payload == data else data)


def _payload(data: bytes) -> bytes:
    """The order in what is kept of it: its envelope, or the payload alone as earlier versions kept it."""
    try:
        return signing.open_envelope(data, Order.TYPE).payload
    except Refused:
        return data
