"""Reads what nobody looks at before the first list; what that needs is loaded with the first reading of it.

To be called where waiting is allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.session import Session
from app.viewmodels.records import now_ms

if TYPE_CHECKING:
    from app.viewmodels.conflicts import Met as Met
    from app.viewmodels.overview import Overview as Overview


def record(session: Session, id_: bytes) -> Overview:
    """Everything that is shown of one record. Raises NotFound."""
    from app.viewmodels import overview

    return session.read(overview.read, id_, now_ms())


def met(session: Session) -> list[Met]:
    """What waits for a choice."""
    from app.viewmodels import conflicts

    return session.read(conflicts.read, now_ms())
