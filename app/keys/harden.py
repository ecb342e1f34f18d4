"""What a process does for its secrets before it touches the first one.

Linux: other processes of the same person may not read our memory, and no core file is written. macOS: no debugger
(written from the documentation, not run there yet). Windows has no such call for an ordinary process. Everywhere:
private files, and an environment from which nobody can redirect keyring, TLS or key logs.
"""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import sys
from typing import Any, Final

from app.keys.backends import scrub_environment

_PR_SET_DUMPABLE: Final = 4
_PT_DENY_ATTACH: Final = 31

# Each of these has been seen to weaken a TLS client that had its own settings.
_MISLEADING: Final = (
    "SSLKEYLOGFILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NETRC",
)

_log = logging.getLogger(__name__)


def harden() -> list[str]:
    """Harden this process; gives the names of the measures that took hold, for `doctor` to show. Never raises."""
    os.umask(0o077)  # files made from here on are for this person alone
    scrub_environment()
    for name in _MISLEADING:
        os.environ.pop(name, None)
    held = ["private_files", "environment"]
    if _no_core_files():
        held.append("no_core_files")
    if _no_reading_of_memory():
        held.append("no_reading_of_memory")
    return held


def _no_core_files() -> bool:
    try:
        resource: Any = importlib.import_module("resource")  # not there on Windows
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        _log.info("core files could not be switched off")
        return False
    return True


def _no_reading_of_memory() -> bool:
    system: str = sys.platform
    try:
        if system.startswith("linux"):
            return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        if system == "darwin":
            return bool(ctypes.CDLL(None).ptrace(_PT_DENY_ATTACH, 0, None, 0) == 0)
    except (AttributeError, OSError):
        _log.info("this process could not be closed to others of the same person")
    return False
