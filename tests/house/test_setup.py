"""Set-up: a further run does nothing and needs no network; what is missing is named."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT


def _script() -> Any:
    spec = importlib.util.spec_from_file_location("setup_script", ROOT / "packaging" / "setup.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


SETUP = _script()


def _without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """A system that lacks `package`, with no rights to install it."""
    lacking = [
        dataclasses.replace(need, present=lambda: False) if need.package == package else need
        for need in SETUP.NEEDS
    ]
    assert any(not need.present() for need in lacking)
    monkeypatch.setattr(SETUP, "missing", lambda: [need for need in lacking if not need.present()])
    monkeypatch.setattr(SETUP, "_rights", lambda: None)


def test_a_further_run_does_nothing_and_needs_no_network() -> None:
    nowhere = "http://127.0.0.1:9"
    env = {**os.environ, "PIP_INDEX_URL": nowhere, "PIP_NO_CACHE_DIR": "1", "https_proxy": nowhere}
    command = [str(ROOT / ".venv" / "bin" / "python"), "packaging/setup.py"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "setup: nothing to do\n"), done.stdout + done.stderr
    assert time.monotonic() - began < 10


def test_the_virtual_environment_inherits_nothing() -> None:
    config = (ROOT / ".venv" / "pyvenv.cfg").read_text(encoding="utf-8")
    assert "include-system-site-packages = false" in config


def test_the_system_has_what_the_tests_need() -> None:
    assert [need.package for need in SETUP.missing()] == []


def test_missing_packages_are_named_and_do_not_stop_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without(monkeypatch, "xvfb")
    monkeypatch.setattr(SETUP, "virtual_environment", lambda: False)
    assert SETUP.main() == 0
    said = capsys.readouterr().err
    assert "apt-get install xvfb" in said
    assert "gnome-keyring" not in said


def test_without_venv_it_stops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _without(monkeypatch, "python3-venv")

    def never() -> bool:
        raise AssertionError

    monkeypatch.setattr(SETUP, "virtual_environment", never)
    assert SETUP.main() == 1
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_an_old_python_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(SETUP, "MINIMUM", (99, 0))
    assert SETUP.main() == 1
    assert "3.11" in capsys.readouterr().err


def test_the_tree_is_compiled() -> None:
    source = ROOT / "app" / "worker.py"
    compiled = Path(importlib.util.cache_from_source(str(source)))
    compiled.unlink(missing_ok=True)
    SETUP.compile_tree()
    assert compiled.is_file()
