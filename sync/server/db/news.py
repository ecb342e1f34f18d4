"""What a transaction has changed that other devices wait for; the books note it as they write."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.server import access
from sync.server.access import Circle, Scope


@dataclass(slots=True)
class News:
    """Whom to tell once it is committed. Devices are named by their enrolment."""

    by: str = ""  # the device whose exchange this is: what it has changed itself it is told in the answer
    circles: set[Circle] = field(default_factory=set)  # who sees, or saw, a record that changed
    filed: set[str] = field(default_factory=set)  # devices with a paper that waits for them
    ordered: set[str] = field(
        default_factory=set
    )  # devices with an order: they may look at something else by it
    moved: set[bytes] = field(default_factory=set)  # persons who may look at something else now
    wiped: set[str] = field(default_factory=set)  # devices that are none any more
    everybody: bool = False

    def record(self, kind: str, scope: Scope, before: Scope | None = None) -> None:
        """A record changed; who saw it before has to let it go."""
        self.circles |= access.reached(kind, scope)
        if before is not None and before != scope:
            self.circles |= access.reached(kind, before)

    def __bool__(self) -> bool:
        return bool(self.circles or self.filed or self.ordered or self.moved or self.wiped or self.everybody)
