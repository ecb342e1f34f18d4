"""The bare window: an application with one label, painted. Prints when, and what the process holds then."""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow


class _First(QObject):
    """Tells of the first paint and ends."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the paint."""
        if event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._tell)
        return False

    def _tell(self) -> None:
        sys.stdout.write(f"{time.monotonic_ns()}\n")
        sys.stdout.flush()
        if "--stay" in sys.argv:
            QTimer.singleShot(1000, self._weigh)
        else:
            os._exit(0)

    def _weigh(self) -> None:
        import json

        from tests.benchmarks.held import held

        sys.stdout.write(json.dumps(held()) + "\n")
        sys.stdout.flush()
        os._exit(0)


application = QApplication(sys.argv[:1])
window = QMainWindow()
label = QLabel("Fieldkeep")
window.setCentralWidget(label)
window.resize(1440, 900)
first = _First()
label.installEventFilter(first)
window.show()
application.exec()
