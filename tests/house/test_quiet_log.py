"""The rule that our log stays quiet in tests is itself tested: what must fail does fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT

CASES = """
import logging
import pytest

log = logging.getLogger("app.store")

def test_quiet(): log.info("nothing to see")
def test_surprise(): log.warning("surprise")
def test_server_surprise(): logging.getLogger("sync.server").error("surprise")
@pytest.mark.expected_warnings("sur.rise")
def test_expected(): log.warning("surprise")
@pytest.mark.expected_warnings("surprise")
def test_expected_but_absent(): pass
@pytest.mark.expected_warnings("other")
def test_expected_another(): log.warning("surprise")
def test_expected_on_the_way(expect_warning):
    expect_warning("surprise")
    log.warning("surprise")
@pytest.fixture
def loud():
    yield
    log.warning("at the end")
def test_loud_fixture(loud): pass
"""

PASSING = {"test_quiet", "test_expected", "test_expected_on_the_way", "test_loud_fixture"}
FAILING = {"test_surprise", "test_server_surprise", "test_expected_but_absent", "test_expected_another"}


def test_an_unexpected_warning_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_cases.py").write_text(CASES)
    config = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *config, "-p", "no:xdist", "-rA", "-q", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    said = {
        (line.split(" ")[0], line.split("::")[1].split(" ")[0])
        for line in done.stdout.splitlines()
        if line.startswith(("PASSED", "FAILED", "ERROR")) and "::" in line
    }
    passed = {("PASSED", name) for name in PASSING}
    failed = {("FAILED", name) for name in FAILING}
    assert said == passed | failed | {("ERROR", "test_loud_fixture")}, done.stdout + done.stderr
