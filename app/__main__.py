"""The front door: everything `fieldkeep` does begins here."""

from __future__ import annotations

import gc
import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command, or open the desktop when there is none; the exit code."""
    # What is loaded at a start stays: looking for rubbish among it finds none and takes a tenth of the start.
    gc.disable()
    from app import compose
    from app.cli.arguments import said
    from app.paths import Profile, default_profile

    compose.prepare()
    args = said(sys.argv[1:] if argv is None else argv)
    profile = Profile(args.profile or default_profile())
    compose.take_profile(profile)
    if args.verb is None:
        if not _has_screen():
            from sync.protocol.texts import gettext as _

            sys.stderr.write(_("There is no screen here; use the command line: fieldkeep --help") + "\n")
            return 1
        # Nobody collects in this thread or beside it until app.ui.sweeping takes it up.
        asked = compose.asked_to_end()
        if profile.device.exists():
            from app.keys import beside

            beside.begin()
        from app.services.early import Early

        early = Early(profile)  # keyring and store answer while Qt is loaded
        from app.ui.run import open_desktop  # a command never pays for Qt

        return open_desktop(profile, early, asked)
    from app.cli.run import run  # the desktop never pays for the command line

    gc.enable()
    return run(args, profile)


def _has_screen() -> bool:
    """Whether a window can open; asked before Qt is, since Qt ends a process that has no screen by a signal."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


if __name__ == "__main__":
    sys.exit(main())
