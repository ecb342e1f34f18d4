"""Each way syncing can stand has its own word, sentence and next step."""

from __future__ import annotations

import pytest

from app.viewmodels.sync_state import standing
from sync.client.status import Phase, SyncStatus

AT = 1_700_000_000_000


@pytest.mark.parametrize(
    ("status", "state", "words", "action"),
    [
        (SyncStatus(Phase.IDLE, last_ok=AT), "sent", "Up to date · ", "Sync now"),
        (SyncStatus(Phase.IDLE, waiting=2, last_ok=AT), "sending", "2 waiting", "Sync now"),
        (SyncStatus(Phase.SENDING, waiting=3, last_ok=AT), "sending", "Sending 3 …", ""),
        (SyncStatus(Phase.SENDING), "sending", "Fetching …", ""),
        (SyncStatus(Phase.OFFLINE, waiting=3, last_ok=AT), "offline", "3 waiting · offline", "Try now"),
        (SyncStatus(Phase.OFFLINE, last_ok=AT), "offline", "Offline", "Try now"),
        (
            SyncStatus(Phase.OFFLINE, waiting=1, conflicts=2, last_ok=AT),
            "needs_you",
            "2 to choose",
            "Show conflicts",
        ),
        (
            SyncStatus(Phase.REFUSED, conflicts=2, title="Too old."),
            "refused",
            "Not syncing · see why",
            "Try now",
        ),
    ],
)
def test_a_status_in_words(status: SyncStatus, state: str, words: str, action: str) -> None:
    found = standing(status)
    assert (found.state, found.action) == (state, action)
    assert found.words.startswith(words)
    assert found.sentence


def test_what_it_must_hear_comes_before_all_else() -> None:
    found = standing(SyncStatus(Phase.REFUSED, waiting=1, conflicts=2, title="Too old.", alarm="signature"))
    assert (found.state, found.words, found.action) == ("refused", "Tell IT · see why", "Sync now")
    assert "(signature)" in found.sentence
    assert found.sentence.endswith("Tell IT.")


def test_a_refusal_says_why() -> None:
    found = standing(SyncStatus(Phase.REFUSED, title="This version is too old.", hint="Update it."))
    assert found.sentence == "This version is too old. Update it."
