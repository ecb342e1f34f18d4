"""An open session on a real store, and backgrounds that tests can hold back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app.paths import Profile
from app.services.opening import open_session
from app.services.session import Session
from sync.protocol.errors import KnownError
from tests.ui.organisation import Organisation, fill, organisation

T = TypeVar("T")


class Held:
    """A background that does nothing until `turn`: answers come when the test wants them."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """Keep the work for later."""

        def go() -> None:
            try:
                result = work()
            except KnownError as problem:
                if failed is not None:
                    failed(problem)
            else:
                done(result)

        self._waiting.append(go)

    def read(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[KnownError], None] | None = None,
        /,
    ) -> None:
        """Keep the work for later, in the same order."""
        self.run(work, done, failed)

    def post(self, call: Callable[[], None], /) -> None:
        """Keep the call for later."""
        self._waiting.append(call)

    def turn(self) -> int:
        """Do all that waits, and what it leads to; how much it was."""
        count = 0
        while self._waiting:
            self._waiting.pop(0)()
            count += 1
        return count


@pytest.fixture
def held() -> Held:
    """A background under the test's control."""
    return Held()


@pytest.fixture(scope="session")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    """An organisation with a server."""
    with organisation(tmp_path_factory.mktemp("organisation")) as made:
        yield made


@pytest.fixture(scope="module")
def filled(org: Organisation, request: pytest.FixtureRequest) -> Profile:
    """An enrolled profile with the sample in it; what is opened are copies, which the keyring opens alike."""
    profile = org.laptop(f"laptop-{abs(hash(request.node.nodeid)) % 10**9}")
    fill(profile)
    return profile


@pytest.fixture
def session(filled: Profile, tmp_path: Path) -> Iterator[Session]:
    """An open session with the sample in its store; it exchanges nothing, for others were copied from the same."""
    copied = tmp_path / "profile"
    shutil.copytree(filled.folder, copied)
    with open_session(Profile(copied)) as opened:
        yield opened
