"""The display that window tests get: Qt shows itself there, so every library it needs is here."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SHOW = """
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel("shown")
label.show()
while not label.windowHandle().isExposed():
    app.processEvents()
print(app.platformName(), label.grab().width() > 0)
"""


@pytest.mark.xvfb
def test_a_window_is_shown_on_a_display_of_its_own(xvfb: dict[str, str]) -> None:
    command = [sys.executable, "-c", _SHOW]
    shown = subprocess.run(
        command, env={**os.environ, **xvfb}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (shown.returncode, shown.stdout.split()) == (0, ["xcb", "True"]), shown.stderr
