"""Which way a change of policy goes: no loosening is called stricter, and none is passed over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sync.console import policy_words
from sync.console.policy_turns import Turn
from sync.protocol.documents import Policy

BASE = Policy(version=1, org="0" * 32, issued=1, expires=2)
STRICTER, LOOSER, OTHER = Turn.STRICTER, Turn.LOOSER, Turn.OTHER


def turns(before: Policy, after: Policy) -> list[Turn]:
    return [each.turn for each in policy_words.changes(before, after)]


def changed(**parts: Any) -> Policy:
    """The usual policy with some parts of its parts otherwise: `offline={"lock_h": 3}`."""
    found = {
        name: msgspec.structs.replace(getattr(BASE, name), **value) if isinstance(value, dict) else value
        for name, value in parts.items()
    }
    return msgspec.structs.replace(BASE, **found)


def row(signal: str, action: str = "warn", on_unknown: str = "warn", **other: Any) -> dict[str, Any]:
    uses = {"uses": other.pop("uses")} if "uses" in other else {}
    return {"signal": signal, "condition": other, "action": action, "on_unknown": on_unknown, **uses}


@pytest.mark.parametrize(
    "looser",
    [
        {"offline": {"warn_h": 400}}, {"offline": {"lock_h": 600}}, {"offline": {"wipe_d": 90}},
        {"pin": {"min_len": 4}}, {"pin": {"max_attempts": 20}}, {"inactivity_min": 30}, {"inactivity_min": 0},
        {"travel": {"stays_home": "restricted"}},
    ],
)  # fmt: skip
def test_a_setting_that_is_loosened_is_called_so_and_stricter_the_other_way(looser: dict[str, Any]) -> None:
    other = changed(**looser)
    assert turns(BASE, other) == [LOOSER]
    assert turns(other, BASE) == [STRICTER]


def test_what_is_barred_is_stricter_and_a_clipboard_that_is_never_cleared_looser() -> None:
    assert turns(BASE, changed(use={"export": "block"})) == [STRICTER]
    assert turns(BASE, changed(pin={"required": True})) == [STRICTER]
    assert turns(BASE, changed(use={"clear_clipboard_s": 60})) == [STRICTER]
    assert turns(changed(use={"clear_clipboard_s": 60}), changed(use={"clear_clipboard_s": 90})) == [LOOSER]
    assert turns(BASE, changed(travel={"always": True})) == [STRICTER]
    assert turns(BASE, changed(keys={"rotate_days": 90})) == [STRICTER]
    both = changed(travel={"always": True, "stays_home": "restricted"})
    assert turns(BASE, both) == [OTHER]
    shot = {"screenshot": "block", "screenshot_unknown": "lock_ui"}
    assert turns(BASE, changed(use=shot)) == [STRICTER, STRICTER]
    assert turns(changed(use=shot), changed(use={**shot, "screenshot_unknown": "warn"})) == [LOOSER]


@pytest.mark.parametrize(
    ("before", "after", "turn"),
    [
        (None, row("clock"), STRICTER), (row("clock"), None, LOOSER), (None, row("clock", "allow", "allow"), OTHER),
        (row("clock"), row("clock", "lock_ui"), STRICTER), (row("clock", "lock_ui"), row("clock"), LOOSER),
        (row("clock", "warn", "lock_ui"), row("clock", "lock_ui", "warn"), OTHER),
        (row("app_version", below="1.9"), row("app_version", below="1.10"), STRICTER),
        (row("app_version", below="1.10"), row("app_version", below="1.9"), LOOSER),
        (row("app_version", above="3"), row("app_version", above="2"), STRICTER),
        (row("app_version", below="1", above="3"), row("app_version", below="1"), LOOSER),
        (row("app_version", below="1", above="3"), row("app_version", below="2", above="4"), OTHER),
        (row("protocol", below=3), row("protocol", below=2), LOOSER),
        (row("screen_lock"), row("screen_lock", within_min=5), STRICTER),
        (row("screen_lock", within_min=5), row("screen_lock", within_min=9), LOOSER),
        (row("keyring", allowed=["a", "b"]), row("keyring", allowed=["A"]), STRICTER),
        (row("keyring", allowed=["a"]), row("keyring", allowed=["a", "b"]), LOOSER),
        (row("keyring", allowed=["a"]), row("keyring", allowed=["b"]), OTHER),
        (row("updates", after_d=30), row("updates", after_d=60), LOOSER),
        (row("silence", after_d=2), row("silence", after_h=47), STRICTER),
        (row("os_version", system="debian", below="12"), row("os_version", system="ubuntu", below="12"), OTHER),
        (row("clock", "restrict", uses=["export"]), row("clock", "restrict", uses=["export", "copy"]), STRICTER),
        (row("clock", "restrict", uses=["export"]), row("clock", "restrict", uses=["copy"]), OTHER),
    ],
)  # fmt: skip
def test_a_row_that_came_went_or_changed(
    before: dict[str, Any] | None, after: dict[str, Any] | None, turn: Turn
) -> None:
    was, now = (changed(rules=[each] if each else []) for each in (before, after))
    (found,) = policy_words.changes(was, now)
    assert found.turn is turn
    assert bool(found.before) == (before is not None)
    assert bool(found.after) == (after is not None)


def test_rows_that_only_stand_elsewhere_are_no_change_and_several_of_a_signal_are_told_one_by_one() -> None:
    a, b, c = row("clock"), row("silence", "lock_ui", after_d=15), row("silence", "warn", after_d=9)
    assert turns(changed(rules=[a, b]), changed(rules=[b, a])) == []
    assert turns(changed(rules=[b, c]), changed(rules=[a])) == [LOOSER, LOOSER, STRICTER]
