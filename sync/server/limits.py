"""How much and how often: sizes of bodies, time for a request, tries of whoever guesses."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from sync.protocol import messages
from sync.protocol.strict import DOCUMENT_MAX

# Bytes of a body, per path; a body is not read any further than this.
BODY: Final[dict[str, int]] = {
    messages.ENROL_PATH: DOCUMENT_MAX,
    messages.SESSION_PATH: DOCUMENT_MAX,
    messages.EXCHANGE_PATH: messages.OPS_BYTES_MAX + DOCUMENT_MAX,
    messages.STILL_PATH: 0,
    messages.READY_PATH: DOCUMENT_MAX,
    messages.READY_PIECE_PATH: DOCUMENT_MAX,
    messages.DIGEST_PATH: DOCUMENT_MAX,
    messages.BUCKET_PATH: DOCUMENT_MAX,
    messages.RECORDS_PATH: DOCUMENT_MAX,
    messages.SEALED_PATH: messages.SEALED_PART + 2 * DOCUMENT_MAX,
    messages.RECEIPT_PATH: messages.SEALED_PART + 2 * DOCUMENT_MAX,
    messages.BLOB_PUT_PATH: messages.SEALED_PART + 2 * DOCUMENT_MAX,
    messages.BLOB_GET_PATH: DOCUMENT_MAX,
}
# What the ops of one exchange may come to when unpacked; a device counts its own way, so with room to spare.
OPS_PLAIN_MAX: Final = 2 * messages.OPS_BYTES_MAX
BODY_S: Final = 30.0  # to receive a whole body
# The last that a device has to say: its line may be the worst, and nothing else waits for it.
LAST: Final = frozenset({messages.SEALED_PATH, messages.RECEIPT_PATH, messages.BLOB_PUT_PATH})
LAST_S: Final = 120.0
SEALED_MAX: Final = 2**30  # bytes of all sealed outboxes of one device: some four million small changes
SEALED_AT_MOST: Final = 64  # outboxes of one device
PARCEL_MAX: Final = 2 * 2**20  # bytes of one parcel of recovered work: four of them fit into one answer
ROOM_KEPT: Final = 64 * 2**20  # bytes of the disk that sealed outboxes leave free for everything else
UNNAMED_MAX: Final = 2**30  # bytes of blobs of one device that no record names yet, whole or not
FORGOTTEN_MS: Final = 30 * 86_400_000  # how long a blob stays that no kept record names
TIDY_EVERY_MS: Final = 3_600_000  # between two looks for such blobs
AT_ONCE: Final = 8  # requests in work; the others wait their turn
WAITING: Final = 200  # beyond this many the server says that it is busy
PATIENCE_S: Final = 20.0  # before work: of a device's 60 s the rest is for the work and the line
BODIES: Final = 200  # under way from one address, which may be a whole office; they are there within seconds
BODIES_BYTES: Final = 512 * 2**20  # of all bodies under way
RETRY_S: Final = 5
RETRY_LAST_S: Final = 120  # the furthest that a crowd is told to stay away
TURNS_OF_ONE: Final = (
    3  # requests of a device that comes back: session, exchange, and what the answer leads to
)
LINES: Final = 6_000  # held open, one for each device; fewer where the system allows fewer open files
LINES_RETRY_S: Final = 60
POKED_IN_WORK: Final = (
    2 * AT_ONCE
)  # requests in work and waiting, from which on nobody is called to make more

LOOKS: Final = (
    300  # requests to compare or to fetch records, per minute and device: enough for three million rows
)
LOOKS_AT_ONCE: Final = 2  # of them in work: what devices exchange comes first

GUESSES: Final = 10  # wrong enrolment codes per minute from one address
GUESSES_ALL: Final = 100  # and from everywhere
MINUTE_MS: Final = 60_000
_ADDRESSES: Final = 4_096


class Tries:
    """Counts failed tries per key within the last minute; holds a bounded number of keys."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, list[int]] = OrderedDict()

    def exhausted(self, key: str, now: int) -> bool:
        """Whether this key has failed too often in the last minute."""
        with self._lock:
            return len(self._recent(key, now)) >= self._most

    def failed(self, key: str, now: int) -> None:
        """One more try to be counted."""
        with self._lock:
            self._seen[key] = [*self._recent(key, now), now][-self._most :]
            self._seen.move_to_end(key)
            while len(self._seen) > _ADDRESSES:
                self._seen.popitem(last=False)

    def _recent(self, key: str, now: int) -> list[int]:
        return [at for at in self._seen.get(key, []) if now - at < MINUTE_MS]
