"""How a new device is let in: the root by its digest, then the signed wish to be enrolled, answered once."""

from __future__ import annotations

from sync.client.https import Https, fetch_root, own_trust
from sync.client.line import JSON, head, whole
from sync.protocol import messages, trust
from sync.protocol.codes import EnrolCode
from sync.protocol.documents import Root
from sync.protocol.messages import EnrolReply
from sync.protocol.signing import Envelope


def root_of(code: EnrolCode, now: int) -> tuple[Root, bytes]:
    """The verified root of the organisation that gave the code, and its envelope. Raises Unreachable, Refused."""
    data = fetch_root(code.url)
    return trust.first_root(data, code.root_digest, now), data


def enrol(url: str, root: Root, wish: Envelope) -> EnrolReply:
    """The server's answer to a signed wish. Raises ExchangeError; the code may be used up afterwards."""
    line = Https(url, own_trust(root.tls_ca))
    try:
        frames = whole(line.post(messages.ENROL_PATH, wish.to_bytes(), {}, JSON))
    finally:
        line.close()
    return head(frames, EnrolReply)
