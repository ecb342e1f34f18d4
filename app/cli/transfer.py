"""Import and export as verbs of the command line."""

from __future__ import annotations

import argparse

from app.errors import AppError
from app.paths import Profile


def bring(profile: Profile, args: argparse.Namespace) -> int:
    raise AppError("coming")


def take(profile: Profile, args: argparse.Namespace) -> int:
    raise AppError("coming")
