"""The door to the files that ship: it finds them, and leads nowhere else."""

from __future__ import annotations

import pytest

from app import resources


def test_a_resource_is_found_and_read() -> None:
    files = [path for path in resources.root().rglob("*") if path.is_file() and path.suffix != ".po"]
    first = min(files)
    name = first.relative_to(resources.root()).as_posix()
    assert resources.path(name) == first
    assert resources.read_bytes(name) == first.read_bytes()


@pytest.mark.parametrize("name", ["../pyproject.toml", "/etc/hostname", "", "icons/../../x"])
def test_no_name_leads_outside(name: str) -> None:
    with pytest.raises(ValueError, match="resource"):
        resources.path(name)


def test_an_absent_resource_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        resources.read_text("icons/no-such-icon.svg")
