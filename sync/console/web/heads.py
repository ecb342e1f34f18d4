"""Heads of every page that signs or shows: kept by nobody, in no frame, nothing guessed, told to no other site."""

from __future__ import annotations

from typing import Final

SHUT: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With “no-referrer” browsers send a form's origin as null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
