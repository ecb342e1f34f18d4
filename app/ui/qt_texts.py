"""Qt's own texts in the reader's language: menus of fields, and the dialogs for files and messages.

They come with PySide6. Where a system packs it without them, Qt's texts stay English and ours do not.
"""

from __future__ import annotations

import logging

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator

from sync.protocol import texts

_log = logging.getLogger(__name__)


def speak(application: QCoreApplication, language: str) -> None:
    """Have Qt speak this language from now on; English is what it is written in."""
    if language == texts.SOURCE:
        return
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    translator = QTranslator(application)
    if translator.load(f"qtbase_{language}", folder):
        application.installTranslator(translator)
    else:
        _log.info("Qt has no texts in %s", language)
