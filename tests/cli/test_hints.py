"""What the command line tells people to type works as it stands there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli import arguments, hints
from app.errors import AppError, NotEnrolled, Wiped


@pytest.fixture(autouse=True)
def _afterwards() -> Iterator[None]:
    yield
    hints.under(None)


@pytest.mark.parametrize(
    ("said", "filled"),
    [
        ("run: fieldkeep sync", "run: fieldkeep --profile 'my folder' sync"),
        ("Run “fieldkeep doctor” to see more.", "Run “fieldkeep --profile 'my folder' doctor” to see more."),
        ("请运行：fieldkeep unlock", "请运行：fieldkeep --profile 'my folder' unlock"),
        ("请运行fieldkeep unlock。", "请运行fieldkeep --profile 'my folder' unlock。"),
        ("fieldkeep --help", "fieldkeep --help"),
        ("Use fieldkeep-admin instead.", "Use fieldkeep-admin instead."),
        ("fieldkeep synced nothing", "fieldkeep synced nothing"),
    ],
)
def test_a_command_carries_the_profile(said: str, filled: str) -> None:
    assert hints.filled(said) == said
    hints.under(Path("my folder"))
    assert hints.filled(said) == filled


def test_where_nobody_is_enrolled_the_folder_is_named(tmp_path: Path) -> None:
    problem = NotEnrolled("title", "hint")
    assert "--profile DIR" in hints.aftermath(problem)[0]
    hints.under(tmp_path)
    assert hints.aftermath(problem) == (f"Fieldkeep looked in the folder {tmp_path}.", "hint")
    hints.under(tmp_path / "typo")
    assert hints.aftermath(problem)[0].startswith(f"There is no folder {tmp_path / 'typo'}")
    assert hints.aftermath(AppError("title", "hint")) == ("hint",)
    assert hints.aftermath(Wiped("title", kept="It is safe.")) == (
        "", "It is safe.", "Ask your IT what comes next.",
    )  # fmt: skip


def test_every_command_is_known() -> None:
    verbs = next(each.choices for each in arguments.parser()._actions if each.dest == "verb")
    hints.under(Path("here"))
    for verb in verbs or ():
        assert hints.filled(f"run: fieldkeep {verb} …") == f"run: fieldkeep --profile here {verb} …"
