"""The town of the road's tests; laptops of their own, and who signs for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.services.opening import open_session
from app.services.session import Session
from tests.road import ANNA, Laptop, Town, town
from tests.services.desk import Desk

__all__ = ["town"]


@pytest.fixture
def laptop(town: Town) -> Laptop:
    """A laptop of its own for every test."""
    return town.laptop(ANNA)


@pytest.fixture
def session(laptop: Laptop) -> Iterator[Session]:
    """Its open session."""
    with open_session(laptop.profile) as opened:
        yield opened


@pytest.fixture
def desk(town: Town, session: Session) -> Desk:
    """Who signs for it."""
    return Desk(town, session)
