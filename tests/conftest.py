"""What every test gets: a keyring session of its own, real data where it is, a log that must be quiet."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.display import display

if TYPE_CHECKING:
    from tests.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = "FIELDKEEP_REAL_DATA"
INSTALLED = "FIELDKEEP_TEST_INSTALLED"

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"  # of parts that are here for something else, and warn of themselves
for _variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
    os.environ.pop(_variable, None)
os.environ["LC_ALL"] = "C.UTF-8"  # texts are compared in English; tests of other languages choose theirs

_session = contextlib.ExitStack()


def _load_keyring_session() -> Any:
    """packaging/ is no package (it would hide the one on PyPI), so the file is loaded by its path."""
    place = ROOT / "packaging" / "keyring_session.py"
    spec = importlib.util.spec_from_file_location("keyring_session", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_configure(config: pytest.Config) -> None:
    """Start the keyring before anything imports keyring; each xdist worker gets one to itself."""
    worker = hasattr(config, "workerinput")
    leads_workers = bool(getattr(config.option, "numprocesses", None)) and not worker
    if not leads_workers:
        keyring_session = _load_keyring_session()
        if worker or keyring_session.SESSION not in os.environ:
            try:
                env = _session.enter_context(keyring_session.keyring_session())
            except keyring_session.SessionError as error:
                raise pytest.UsageError(f"tests need a real keyring: {error}") from error
            os.environ.clear()
            os.environ.update(env)
    if os.environ.get(INSTALLED):
        import app
        import sync

        for package in (app, sync):
            if ROOT / package.__name__ in Path(str(package.__file__)).parents:
                raise pytest.UsageError(f"{package.__name__} comes from the source tree, not from the wheel")


def pytest_collection_finish() -> None:
    """All tests and what they import stay to the end: no collection of garbage need look through them."""
    gc.collect()
    gc.freeze()


def _renew_keyring(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Between modules, where no profile is in use, so that no test pays for the entries of all earlier ones."""
    if nextitem is not None and nextitem.path != item.path:
        from tests import keyring_of_tests  # after the session's environment is in place

        keyring_of_tests.renew()


def pytest_unconfigure() -> None:
    """End the keyring session."""
    _session.close()


# --- real data --------------------------------------------------------------------------------


def _real_data() -> Path | None:
    """The folder of real CRM files; a folder that is named but absent is an error, never a quiet skip."""
    named = os.environ.get(REAL_DATA)
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if named and not folder.is_dir():
        raise pytest.UsageError(f"{REAL_DATA} names a folder that is not there")
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real CRM files, one set per folder below it."""
    folder = _real_data()
    if folder is None:
        pytest.skip(f"no real data: set {REAL_DATA}")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly when tests could not see real data."""
    if _real_data() is None:
        skipped = terminalreporter.stats.get("skipped", [])
        count = sum(REAL_DATA in str(report.longrepr) for report in skipped)
        terminalreporter.write_sep("!", f"REAL DATA ABSENT: {count} TESTS SKIPPED", red=True, bold=True)
        terminalreporter.write_line(f"Set {REAL_DATA} to the folder of real CRM files to run them.")


# --- a quiet log ------------------------------------------------------------------------------


class _Warnings(logging.Handler):
    """Collects what `app` and `sync` log from WARNING on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []
        self.patterns: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.name}: {record.getMessage()}")

    def complain(self) -> None:
        """Fail for a warning nobody expects, and for an expected one that did not come."""
        seen, patterns = self.seen, self.patterns
        self.seen, self.patterns = [], []
        surplus = [text for text in seen if not any(re.search(each, text) for each in patterns)]
        if surplus:
            pytest.fail("unexpected in the log:\n  " + "\n  ".join(surplus), pytrace=False)
        absent = [each for each in patterns if not any(re.search(each, text) for text in seen)]
        if absent:
            pytest.fail(f"expected in the log, but absent: {absent}", pytrace=False)


_watch = pytest.StashKey[_Warnings]()


@contextlib.contextmanager
def _watching(item: pytest.Item) -> Iterator[_Warnings]:
    watch = item.stash.setdefault(_watch, _Warnings())
    loggers = [logging.getLogger(name) for name in ("app", "sync")]
    for name, known in logging.root.manager.loggerDict.items():
        # A tool that configures logging in this process (import-linter does) switches all others off.
        if isinstance(known, logging.Logger) and name.partition(".")[0] in ("app", "sync"):
            known.disabled = False
    for logger in loggers:
        logger.addHandler(watch)
    try:
        yield watch
    finally:
        for logger in loggers:
            logger.removeHandler(watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _watching(item) as watch:
        for marker in item.iter_markers("expected_warnings"):
            watch.patterns.extend(marker.args)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _watching(item) as watch:
        yield
        watch.complain()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    with _watching(item) as watch:
        yield
        watch.patterns.clear()  # a test that failed or was skipped never came to use them
        watch.complain()
    _renew_keyring(item, nextitem)


@pytest.fixture
def expect_warning(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Call it with a pattern: our log must then warn with a text that the pattern finds."""
    return request.node.stash[_watch].patterns.append  # type: ignore[no-any-return]


# --- a display --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def xvfb() -> Iterator[dict[str, str]]:
    """An X display of its own; gives the environment a program needs to show its windows there."""
    with display() as shown:
        yield shown


# --- a database -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of our own; one that cannot be started is a failure, since much of what is promised is untried."""
    from tests import cluster as clusters  # few tests need it

    with clusters.cluster() as made:
        yield made


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """A database in it, as an operator makes it; its name."""
    name = cluster.database()
    yield name
    cluster.drop(name)


# --- a disk -----------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


# --- the program ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def scripts() -> Path:
    """The folder with `fieldkeep`, `fieldkeep-server` and `fieldkeep-admin` of the code under test."""
    return Path(sys.executable).parent
