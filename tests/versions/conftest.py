"""Each recording unpacked once, and every test of this room run for each version that is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.versions.kept import Recording, Unpacked, forms_of_today, recordings
from tests.versions.town import Recorded, Tape

Opened = Callable[[Path], Recorded]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What asks for a recording runs for each."""
    if "recording" in metafunc.fixturenames:
        metafunc.parametrize("recording", recordings(), ids=lambda each: each.name, scope="session")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that what is written and said now is kept nowhere yet."""
    forms = forms_of_today()
    if all(each.forms != forms for each in recordings()):
        terminalreporter.write_sep("!", "FORMS OF TODAY ARE IN NO RECORDING", yellow=True, bold=True)
        terminalreporter.write_line(f"{forms}: record them at the release (CONTRIBUTING.md).")


@pytest.fixture(scope="session")
def kept(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Unpacked:
    """Its files; a test that changes any works on a copy."""
    return recording.unpack(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def tape(kept: Unpacked) -> Tape:
    """What was said."""
    return Tape(kept)


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens servers, and closes them at the end."""
    towns: list[Recorded] = []

    def open_(folder: Path) -> Recorded:
        towns.append(Recorded(folder))
        return towns[-1]

    yield open_
    for town in towns:
        town.store.close()
