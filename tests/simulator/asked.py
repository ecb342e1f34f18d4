"""What a laptop asks the run's server beside exchanges: ready parts, records by id, and the bytes of files."""

from __future__ import annotations

from sync.server.service import Service


class Asked:
    """Hands each request on."""

    service: Service

    def offer(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Whether there is a ready part."""
        return self.service.offer(headers, target, body)

    def ready_piece(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """A piece of a ready part."""
        return self.service.ready_piece(headers, target, body)

    def records(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """Records by id."""
        return self.service.compare(headers, target, body)

    def blob_put(self, body: bytes) -> bytes:
        """A piece of a file."""
        return self.service.blob_put(body)

    def blob_get(self, headers: dict[str, str], target: str, body: bytes) -> bytes:
        """A piece of a file, for who may have it."""
        return self.service.blob_get(headers, target, body)
