"""Each way syncing can stand has its own word, sentence and next step."""

from __future__ import annotations

import pytest

from app.viewmodels.sync_state import answer, arriving, standing
from sync.client.status import Phase, SyncStatus

AT = 1_700_000_000_000


def test_a_wipe_that_comes_stands_before_what_is_well_and_behind_what_needs_a_person() -> None:
    coming = "IT has ordered this device to be wiped."
    found = standing(SyncStatus(Phase.IDLE, last_ok=AT), AT, coming)
    assert (found.state, found.action) == ("refused", "Sync now")
    assert found.words.startswith("To be wiped · ")
    assert found.words[-3] == ":"
    assert found.sentence.startswith(coming)
    needs = SyncStatus(Phase.IDLE, attention=2, last_ok=AT)
    assert standing(needs, AT, coming) == standing(needs)


@pytest.mark.parametrize(
    ("status", "state", "words", "action"),
    [
        (SyncStatus(Phase.IDLE, last_ok=AT), "sent", "Up to date · ", "Sync now"),
        (SyncStatus(Phase.IDLE, waiting=2, last_ok=AT), "sending", "2 waiting", "Sync now"),
        (SyncStatus(Phase.SENDING, waiting=3, last_ok=AT), "sending", "Sending 3 …", ""),
        (SyncStatus(Phase.SENDING), "sending", "Fetching …", ""),
        (SyncStatus(Phase.SENDING, first=True, last_ok=AT), "sending", "Fetching …", ""),
        (SyncStatus(Phase.SENDING, fetched=1340, last_ok=AT), "sending", "Fetching 1,340 …", ""),
        (
            SyncStatus(Phase.SENDING, fetched=1340, percent=28, last_ok=AT),
            "sending",
            "Fetching 1,340 … 28%",
            "",
        ),
        (SyncStatus(Phase.IDLE, conflicts=2, attention=2, last_ok=AT), "needs", "2 not accepted", "Sync now"),
        (SyncStatus(Phase.IDLE, conflicts=2, last_ok=AT), "sent", "Up to date · ", "Sync now"),
        (SyncStatus(Phase.OFFLINE, first=True, last_ok=AT), "offline", "Offline", "Try now"),
        (SyncStatus(Phase.OFFLINE, waiting=3, last_ok=AT), "offline", "3 waiting · offline", "Try now"),
        (SyncStatus(Phase.OFFLINE, last_ok=AT), "offline", "Offline", "Try now"),
        (
            SyncStatus(Phase.OFFLINE, conflicts=1, attention=1, last_ok=AT),
            "needs",
            "1 not accepted · offline",
            "Try now",
        ),
        (
            SyncStatus(Phase.OFFLINE, waiting=1, conflicts=2, last_ok=AT),
            "offline",
            "1 waiting · offline",
            "Try now",
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
    assert found.beside == {0: "", 1: "1 conflict", 2: "2 conflicts"}[status.conflicts]


@pytest.mark.parametrize(
    ("status", "sentence", "more"),
    [
        (SyncStatus(Phase.SENDING, first=True), "Your territory is still being fetched", ""),
        (
            SyncStatus(Phase.SENDING, first=True, fetched=1340),
            "Your territory is still being fetched",
            "1,340 records are here so far. You can work with them already.",
        ),
        (
            SyncStatus(Phase.OFFLINE, first=True),
            "Your territory has not been fetched yet",
            "Could not reach the server.",
        ),
    ],
)
def test_what_a_new_device_says_in_its_first_minutes(status: SyncStatus, sentence: str, more: str) -> None:
    assert arriving(status) == (sentence, more)


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (
            SyncStatus(Phase.OFFLINE, waiting=1, conflicts=2, last_ok=AT),
            "Could not reach the server. Your 1 change is safe on this device.",
        ),
        (
            SyncStatus(Phase.OFFLINE, title="The server's clock is wrong.", waiting=3),
            "The server's clock is wrong. Your 3 changes are safe on this device.",
        ),
        (
            SyncStatus(Phase.OFFLINE),
            "Could not reach the server. You can go on working: everything is on this device.",
        ),
        (
            SyncStatus(Phase.STOPPED, waiting=1),
            "Syncing has ended. Close Fieldkeep and open it again. Your 1 change is safe on this device.",
        ),
        (SyncStatus(Phase.REFUSED, waiting=1, title="Too old.", hint="Update it."), "Too old. Update it."),
        (SyncStatus(Phase.IDLE, waiting=2, last_ok=AT), "2 changes are still to be sent."),
        (
            SyncStatus(Phase.IDLE, conflicts=2, last_ok=AT),
            "Up to date: the server has everything that you did here.",
        ),
    ],
)
def test_who_asks_for_an_exchange_is_answered_in_one_line(status: SyncStatus, line: str) -> None:
    assert answer(status) == line


def test_what_it_must_hear_comes_before_all_else() -> None:
    found = standing(SyncStatus(Phase.REFUSED, waiting=1, conflicts=2, title="Too old.", alarm="signature"))
    assert (found.state, found.words, found.action) == ("refused", "Tell IT · see why", "Sync now")
    assert "(signature)" in found.sentence
    assert found.sentence.endswith("Tell IT.")


def test_a_refusal_says_why() -> None:
    found = standing(SyncStatus(Phase.REFUSED, title="This version is too old.", hint="Update it."))
    assert found.sentence == "This version is too old. Update it."
