"""What one line at the foot of the workplace tells of something just done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aside:
    """One line that tells of something just done; `undoes` when it can be taken back."""

    text: str
    undoes: bool = False
