"""A passphrase from a file: what is wrong with it is said, and never what is, or may be, the passphrase itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync.console import passphrase
from sync.protocol.errors import KnownError

WORDS = "correct horse battery"


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that the environment names; not made yet."""
    path = tmp_path / "passphrase.txt"
    monkeypatch.setenv(passphrase.VARIABLE, str(path))
    return path


def refused() -> tuple[str, str]:
    with pytest.raises(KnownError) as caught:
        passphrase.known()
    return caught.value.title, caught.value.hint


def test_a_file_of_ones_own_is_read_in_silence(secret: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret.write_text(f"{WORDS}\n", encoding="utf-8")
    secret.chmod(0o600)
    assert passphrase.known() == passphrase.fresh() == WORDS
    assert capsys.readouterr().err == ""


def test_a_file_that_others_may_read_is_told_once(secret: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret.write_text(WORDS, encoding="utf-8")
    secret.chmod(0o640)
    assert passphrase.known() == passphrase.known() == WORDS
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "Others on this machine may read the file that FIELDKEEP_PASSPHRASE_FILE names.",
        "Make it yours alone: chmod 600 passphrase.txt",
    ]


def test_what_is_wrong_with_the_file_is_said_with_its_name(secret: Path) -> None:
    assert refused() == (
        "The file that FIELDKEEP_PASSPHRASE_FILE names is not there.",
        "Check its name: passphrase.txt",
    )
    secret.write_bytes(b"\r\n")
    secret.chmod(0o600)
    title, hint = refused()
    assert "holds no passphrase" in title
    assert hint.endswith("on one line: passphrase.txt")
    secret.write_bytes(b"\xff\xfe")
    assert "cannot be read as text" in refused()[0]
    secret.unlink()
    secret.mkdir()
    assert "cannot be read as text" in refused()[0]


@pytest.mark.parametrize("value", [WORDS, "no/such/folder/" + WORDS, WORDS * 20])
def test_a_passphrase_put_in_the_place_of_a_name_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(passphrase.VARIABLE, value)
    title, hint = refused()
    assert "horse" not in title + hint
    assert hint == "It takes the name of a file, not the passphrase itself."


def test_a_pipe_is_nobody_elses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.write(write, WORDS.encode())
    os.close(write)
    monkeypatch.setenv(passphrase.VARIABLE, f"/dev/fd/{read}")
    assert passphrase.known() == WORDS
    os.close(read)
    assert capsys.readouterr().err == ""
