"""The help of the three commands: every verb, argument and option says in words what it is for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from app.cli import arguments
from sync.compose import admin, server

PARSERS = {
    "fieldkeep": arguments.parser,
    "fieldkeep-admin": admin._parser,
    "fieldkeep-server": server._parser,
}


def mute(parser: argparse.ArgumentParser) -> Iterator[str]:
    """What has no help, by the command it belongs to."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helped = {choice.dest: choice.help for choice in action._choices_actions}
            for name, inner in action.choices.items():
                if not helped.get(name):
                    yield f"{parser.prog} {name}"
                yield from mute(inner)
        elif not action.help:
            yield f"{parser.prog} {action.dest}"


@pytest.mark.parametrize("command", PARSERS)
def test_everything_has_a_help(command: str) -> None:
    parser = PARSERS[command]()
    assert list(mute(parser)) == []
    assert parser.format_help().startswith(f"usage: {command} ")


def test_doctor_explains_its_levels(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments.parser().parse_args(["doctor", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for word in ("✓ holds", "“warning”", "exit code stays 0", "“fault”", "exit code is 1"):
        assert word in said
