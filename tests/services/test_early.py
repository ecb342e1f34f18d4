"""An opening that is begun before there is a window: it goes the same way, and ends in the same answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import NotEnrolled
from app.keys import beside
from app.paths import Profile
from app.services.early import Early
from app.services.opening import open_session
from app.services.session import ACTIVE
from tests.road import Laptop


def test_a_session_is_open_and_so_is_its_store(laptop: Laptop) -> None:
    beside.begin()
    settings, session = Early(laptop.profile).take()
    with session:
        assert session.stage == ACTIVE
        assert session.store._store is not None
        assert session.read(lambda reader: reader.person) == session.card.person.email
        assert settings["theme"]
    assert beside._asked is None


def test_a_locked_session_has_its_store_shut(laptop: Laptop) -> None:
    with open_session(laptop.profile) as session:
        session.lock()
    _settings, session = Early(laptop.profile).take()
    with session:
        assert session.stage != ACTIVE
        assert session.store._store is None


def test_why_there_is_none_is_said_to_whoever_asks(tmp_path: Path) -> None:
    early = Early(Profile(tmp_path / "nobody"))
    with pytest.raises(NotEnrolled):
        early.take()
