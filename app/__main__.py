"""The front door: everything `fieldkeep` does begins here."""

from __future__ import annotations

import sys

from app import compose
from app.cli.arguments import parser
from app.paths import Profile, default_profile


def main(argv: list[str] | None = None) -> int:
    """Run one command, or open the desktop when there is none; the exit code."""
    compose.prepare()
    args = parser().parse_args(argv)
    profile = Profile(args.profile or default_profile())
    compose.take_profile(profile)
    if args.verb is None:
        from app.ui.run import open_desktop  # a command never pays for Qt

        return open_desktop(profile)
    from app.cli.run import run  # the desktop never pays for the command line

    return run(args, profile)


if __name__ == "__main__":
    sys.exit(main())
