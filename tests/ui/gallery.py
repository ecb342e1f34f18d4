"""Shoots all painted parts, light and dark, at 100 % and 150 %, in English and Chinese, for a person to look at.

Run as `python -m tests.ui.gallery OUTDIR`. Each language and scale takes a process of its own, because Qt settles
the scale and the first Chinese family when it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.ui.theme.style import Look, Theme
from tests.ui import pages


def _shoot(outdir: Path, language: str, percent: str) -> None:
    pages.speak(language)
    application = QApplication([])
    theme = Theme(application, language)
    for look in (Look.LIGHT, Look.DARK):
        theme.use(look)
        for name, page in (("window", pages.window()), ("parts", pages.parts())):
            page.show()
            application.processEvents()
            page.grab().save(str(outdir / f"{name}-{look}-{percent}-{language}.png"))
            page.close()
        page, stops = pages.focus_page()
        page.show()
        page.activateWindow()
        for name in pages.FOCUS:
            stops[name].setFocus()
            application.processEvents()
            if percent == "150":
                page.grab().save(str(outdir / f"focus-{name}-{look}-{percent}-{language}.png"))
        page.close()


def main() -> int:
    """Shoot every language and scale, each in its own process; exit code 1 if one of them failed."""
    outdir = Path(sys.argv[1])
    if len(sys.argv) == 4:
        _shoot(outdir, sys.argv[2], sys.argv[3])
        return 0
    outdir.mkdir(parents=True, exist_ok=True)
    failed = 0
    for language in ("en", "zh_CN"):
        for percent in ("100", "150"):
            env = {
                **os.environ,
                "QT_QPA_PLATFORM": "offscreen",
                "QT_SCALE_FACTOR": str(int(percent) / 100),
                "LC_ALL": "zh_CN.UTF-8" if language == "zh_CN" else "C.UTF-8",
            }
            command = [sys.executable, "-m", "tests.ui.gallery", str(outdir), language, percent]
            failed |= subprocess.run(command, env=env, check=False).returncode
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main())
