"""What Windows and macOS tell of themselves, behind the same port as Linux.

Written from the systems' documentation and not run there yet: what is not sure is left out, and then the policy's
`on_unknown` decides. Screenshots can be kept away on both (app/ui/screenshots.py), which is not proven either.
"""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Final

from app.services.posture import is_root

_ANSWERS_S: Final = 5.0


class _Elsewhere:
    """What neither of them is asked yet."""

    def updates_day(self) -> int | None:
        """Not asked."""
        return None

    def secure_boot(self) -> bool | None:
        """Not asked."""
        return None

    def screen_lock(self) -> tuple[bool, int] | None:
        """Not asked."""
        return None

    def model(self) -> tuple[str, str] | None:
        """Not asked."""
        return None

    def screenshot_protection(self) -> bool:
        """The system has a call for it."""
        return True


class Windows(_Elsewhere):
    """Windows 10 and later."""

    def os(self) -> tuple[str, str] | None:
        """The build, as 10.0.19045."""
        return ("windows", platform.version()) if platform.version() else None

    def disk_encryption(self, _folder: Path) -> bool | None:
        """BitLocker tells administrators alone."""
        return None

    def elevated(self) -> bool | None:
        """Not asked."""
        return None

    def keyring(self) -> str:
        """The only one that Fieldkeep uses here."""
        return "windows-credentials"


class MacOs(_Elsewhere):
    """macOS."""

    def os(self) -> tuple[str, str] | None:
        """The version, as 14.5."""
        return ("macos", platform.mac_ver()[0]) if platform.mac_ver()[0] else None

    def disk_encryption(self, _folder: Path) -> bool | None:
        """FileVault, of the disk that the system is on."""
        try:
            found = subprocess.run(
                ["/usr/bin/fdesetup", "isactive"],
                capture_output=True, text=True, timeout=_ANSWERS_S, check=False,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        return {"true": True, "false": False}.get(found.stdout.strip())

    def elevated(self) -> bool | None:
        """Whether it runs as root."""
        return is_root()

    def keyring(self) -> str:
        """The only one that Fieldkeep uses here."""
        return "macos-keychain"
