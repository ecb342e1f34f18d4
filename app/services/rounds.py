"""What a round of exchanges did, and how much of its way it has behind it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sync.client.cycle import Page


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    sent: int = 0
    received: int = 0  # records that others made or changed
    left: int = 0  # records that went where this person does not see them
    conflicts: int = 0
    rejected: int = 0
    recovered: int = 0
    lost: int = 0  # sealed records that the store has lost and that are with IT

    def plus(self, page: Page) -> Round:
        """This round with one page more."""
        return dataclasses.replace(
            self,
            sent=self.sent + page.sent,
            received=self.received + page.applied.received,
            left=self.left + page.applied.left,
            conflicts=self.conflicts + page.applied.conflicts,
            rejected=self.rejected + page.applied.rejected,
        )


def percent_of(begin: int, page: Page) -> int:
    """How much of its way the cursor has behind it. Numbers rise from change to change, so it never goes back."""
    return min(99, 100 * (page.at - begin) // (page.end - begin)) if page.end > begin else 0
