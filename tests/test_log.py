"""What is logged names nobody and holds no key; the log is private and bounded."""

from __future__ import annotations

import logging
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from app import log
from app.errors import StoreDamaged
from app.keys.secret import SecretBytes
from sync.protocol import codes
from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS

Written = Callable[[], str]
LOG = logging.getLogger("app.somewhere")


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    """A log in a folder of its own; call it for what stands in the file."""
    level = {name: logging.getLogger(name).level for name in log.LOGGERS}
    log.set_up(tmp_path / "log", level=logging.DEBUG)
    yield lambda: (tmp_path / "log" / log.FILE).read_text(encoding="utf-8")
    log.shut()
    for name, before in level.items():
        logging.getLogger(name).setLevel(before)


def test_a_line_says_when_where_and_what(written: Written) -> None:
    LOG.info("applied %d rows of %s in %.1f ms", 12, "customer", 3.25)
    line = written()
    assert line.endswith("Z INFO app.somewhere applied 12 rows of customer in 3.2 ms\n")
    assert line[10] == "T"


def test_both_packages_are_logged(written: Written) -> None:
    logging.getLogger("sync.client.cycle").info("exchange done")
    logging.getLogger("elsewhere").error("not ours")
    assert "sync.client.cycle exchange done" in written()
    assert "not ours" not in written()


# --- the table of kinds -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_above_public_is_hidden(written: Written, kind: str) -> None:
    """Read off the table, so that a field added there is hidden here without another line."""
    values = {field.name: f"value-of-{field.name}" for field in KINDS[kind].fields}
    LOG.info("one %s", log.fields(kind, values))
    LOG.info("two", extra={"kind": kind, "fields": values})
    LOG.info("three " + " ".join(f"{name}=%({name})s" for name in values), values)  # noqa: G003 - made of names
    text = written()
    one, two, three = text.splitlines()
    private = {each.name for other in KINDS.values() for each in other.fields if each.care > Care.PUBLIC}
    for field in KINDS[kind].fields:
        shown = values[field.name] if field.care <= Care.PUBLIC else "•"
        assert f" {field.name}={shown}" in one
        assert f" {field.name}={shown}" in two
        # Without its kind, a name is hidden if it is private in any.
        assert f" {field.name}={'•' if field.name in private else shown}" in three


def test_unknown_kinds_and_fields_are_hidden_whole(written: Written) -> None:
    LOG.info("saved", extra={"kind": "spouse", "fields": {"王芳": "secret"}})
    LOG.info("saved", extra={"kind": "contact", "fields": {"shoe size": 44}})
    assert [line.partition("saved ")[2] for line in written().splitlines()] == ["•=•", "•=•"]


# --- arguments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        (7, "7"),
        (None, "None"),
        (True, "True"),
        ("customer", "customer"),
        ("https://crm.example:8443/v1/exchange", "https://crm.example:8443/v1/exchange"),
        ("", ""),
        ("Some Person", "•"),
        ("Smith", "•"),
        ("王芳", "•"),
        ("some person", "•"),
        (b"raw bytes", "<9 bytes>"),
        ({"name": "Person", "phone": "1"}, "<dict of 2>"),
        (["Person"], "<list of 1>"),
        (ValueError("Person"), "builtins.ValueError"),
        (StoreDamaged("The key file is damaged.", "Ask IT."), "StoreDamaged: The key file is damaged."),
        (ValueError, "ValueError"),
        (Path("someone/book"), "<PosixPath>"),
        (SecretBytes(b"12345678"), "<SecretBytes>"),
    ],
)
def test_an_argument_shows_only_what_cannot_name_anybody(
    written: Written, argument: object, shown: str
) -> None:
    LOG.info("it is [%s]", (argument,) if isinstance(argument, dict) else argument)
    expected = "<tuple of 1>" if isinstance(argument, dict) else shown
    assert f"it is [{expected}]" in written()


def test_arguments_that_do_not_fit_cost_the_arguments(written: Written) -> None:
    LOG.info("%d of %d", "Person")
    LOG.info("%d", "Person")
    assert "Person" not in written()
    assert written().count("arguments do not fit") == 2


# --- patterns -----------------------------------------------------------------------------------

CODE = codes.write(codes.EnrolCode("https://crm.example:8443", "ab" * 32, bytes(range(16))))


@pytest.mark.parametrize(
    "secret",
    [
        "some.person@example.com",
        "王芳@例子.中国",
        "+49 30 901820",
        "(415) 555-2671",
        "+86 138 0013 8000",
        "13800138000",
        "030/9018-2012",
        "ab" * 16,
        "0x" + "AB" * 32,
        "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
        CODE,
        CODE.lower(),
        CODE.replace("-", " "),
        CODE.replace("-", ""),
    ],
)
def test_what_looks_personal_or_like_a_key_is_hidden(written: Written, secret: str) -> None:
    LOG.info("before " + secret + " after")  # noqa: G003 - the mistake that the patterns are for
    LOG.info("before " + secret.replace("%", "%%") + ", after")  # noqa: G003
    text = written()
    for piece in (secret, *secret.replace("-", " ").split()):
        if len(piece) > 4:
            assert piece not in text
    assert text.count("before •") == 2
    assert "•, after" in text


@pytest.mark.parametrize(
    "plain",
    ["day 2026-03-14 of", "version 3.11.7", "127.0.0.1:8443", "took 12345 ms", "10.5 MB of 123456", "a-b@ 3"],
)
def test_what_is_neither_stays(written: Written, plain: str) -> None:
    LOG.info(plain)
    assert plain in written()


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.expected_warnings("could not open")
def test_foreign_errors_are_told_by_type_and_place(written: Written) -> None:
    try:
        try:
            int("Some Person")
        except ValueError as error:
            raise StoreDamaged("The store is damaged.", "Ask IT.") from error
    except StoreDamaged:
        LOG.exception("could not open")
    text = written()
    assert "StoreDamaged: The store is damaged." in text
    assert "builtins.ValueError" in text
    assert re.search(r"  test_log\.py:\d+ test_foreign_errors_are_told_by_type_and_place\n", text)
    assert "Person" not in text
    assert str(Path(__file__).parent) not in text


CHILD = """
import logging, sys, threading
from pathlib import Path
from app import log
log.set_up(Path(sys.argv[1])); log.take_uncaught()
def fail(): raise ValueError("Some Person")
thread = threading.Thread(target=fail); thread.start(); thread.join()
fail()
"""


def test_errors_that_nobody_caught_are_logged_and_not_shown(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    text = (tmp_path / log.FILE).read_text()
    assert done.returncode == 1
    assert text.count("uncaught") == text.count("builtins.ValueError") == 2
    assert done.stderr.count("an unexpected error ended this (ValueError)") == 2
    assert "Person" not in text + done.stderr + done.stdout


# --- the files ----------------------------------------------------------------------------------


def test_the_files_are_private_and_bounded(written: Written, tmp_path: Path) -> None:
    for _line in range(3 * log.FILE_BYTES // 7_000 * (log.FILES_KEPT + 1) // 2):
        LOG.info("x " * 3_500)
    files = sorted((tmp_path / "log").iterdir())
    assert len(files) == log.FILES_KEPT + 1
    assert sum(path.stat().st_size for path in files) <= (log.FILES_KEPT + 1) * log.FILE_BYTES
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700
    LOG.info("y " * 50_000)
    assert len(written().splitlines()[-1]) < log.LINE_MAX + 100


def test_a_file_left_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / log.FILE).write_text("old\n")
    (tmp_path / log.FILE).chmod(0o644)
    log.set_up(tmp_path)
    log.shut()
    assert stat.S_IMODE((tmp_path / log.FILE).stat().st_mode) == 0o600


def test_after_the_end_the_folder_can_go(written: Written, tmp_path: Path) -> None:
    LOG.info("one")
    log.shut()
    LOG.info("two")
    assert "two" not in written()
    assert not [each for each in psutil.Process().open_files() if str(tmp_path) in each.path]


def test_a_log_that_cannot_be_written_shows_no_arguments(
    written: Written, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any) -> None:
        raise OSError(28, "no space")

    handler = next(each for each in logging.getLogger("app").handlers if isinstance(each, log._File))
    with monkeypatch.context() as patch:
        patch.setattr(handler.stream, "write", full, raising=False)
        LOG.info("saved %s", "Some Person")
    assert capsys.readouterr().err == "fieldkeep: the log cannot be written (OSError)\n"
