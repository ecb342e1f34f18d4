"""Policy's rows as tables: what each signal is told by, which rung comes of it, and that only silence may wipe."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import ladder, soundness, trust
from sync.protocol.documents import Offline, Policy, UseRules
from sync.protocol.errors import Refused
from sync.protocol.facts import Facts, version_of
from sync.protocol.ladder import RUNGS, Reason, Rung, judge, judge_rows, row_of, rows_of
from sync.protocol.signals import DAY_MS, HOUR_MS, SIGNALS, SILENCE
from sync.protocol.trust import Floors
from sync.protocol.uses import COPY, EXPORT, USES
from tests.house.tree import ROOT
from tests.protocol.authority import Authority

MONDAY_NOON = 1_795_435_200_000  # 2026-11-23, 12:00 UTC
YES, NO, UNKNOWN = True, False, None


def policy(*rules: dict[str, Any], **more: Any) -> Policy:
    """A policy with these rows."""
    return Policy(version=2, org="0a" * 16, issued=0, expires=10**15, rules=list(rules), **more)


def facts(silent_ms: int | None = 0, now: int = MONDAY_NOON, **posture: Any) -> Facts:
    """What is known of a device."""
    return Facts(now=now, silent_ms=silent_ms, posture=posture)


@pytest.mark.parametrize(
    ("signal", "condition", "posture", "met"),
    [
        ("app_version", {"below": "0.2.0"}, {"app_version": "0.1.0"}, YES),
        ("app_version", {"below": "0.2.0"}, {"app_version": "0.2.0"}, NO),
        ("app_version", {"below": "0.2.0"}, {"app_version": "0.2.0-alpha.3"}, YES),
        ("app_version", {"below": "0.2"}, {"app_version": "0.10"}, NO),
        ("app_version", {"above": "0.2"}, {"app_version": "0.10"}, YES),
        ("app_version", {"below": "0.2"}, {"app_version": "new"}, UNKNOWN),
        ("app_version", {"below": "0.2"}, {"app_version": 3}, UNKNOWN),
        ("app_version", {"below": "0.2"}, {}, UNKNOWN),
        ("protocol", {"below": 2}, {"protocol": 1}, YES),
        ("protocol", {"below": 2}, {"protocol": 2}, NO),
        ("protocol", {"below": 2}, {"protocol": True}, UNKNOWN),
        ("os_version", {"system": "debian", "below": "12"}, {"os": "Debian", "os_version": "11.9"}, YES),
        ("os_version", {"system": "debian", "below": "12"}, {"os": "debian", "os_version": "12"}, NO),
        ("os_version", {"system": "windows", "below": "12"}, {"os": "debian", "os_version": "11"}, NO),
        ("os_version", {"system": "debian", "below": "12"}, {"os": "debian"}, UNKNOWN),
        ("os_version", {"system": "debian", "below": "12"}, {}, UNKNOWN),
        ("disk_encryption", {}, {"disk_encryption": False}, YES),
        ("disk_encryption", {}, {"disk_encryption": True}, NO),
        ("disk_encryption", {}, {"disk_encryption": "yes"}, UNKNOWN),
        ("disk_encryption", {}, {}, UNKNOWN),
        ("screen_lock", {}, {"screen_lock": False}, YES),
        ("screen_lock", {}, {"screen_lock": True}, NO),
        ("screen_lock", {"within_min": 5}, {"screen_lock": True, "screen_lock_s": 301}, YES),
        ("screen_lock", {"within_min": 5}, {"screen_lock": True, "screen_lock_s": 300}, NO),
        ("screen_lock", {"within_min": 5}, {"screen_lock": True}, UNKNOWN),
        ("screen_lock", {}, {}, UNKNOWN),
        ("keyring", {"allowed": ["Secret-Service"]}, {"keyring": "secret-service"}, NO),
        ("keyring", {"allowed": ["macos"]}, {"keyring": "secret-service"}, YES),
        ("keyring", {"allowed": ["macos"]}, {}, UNKNOWN),
        ("clock", {}, {"clock": ""}, NO),
        ("clock", {}, {"clock": "forward"}, YES),
        ("clock", {}, {}, UNKNOWN),
        ("refused_document", {}, {"refused_document": True}, YES),
        ("model", {"allowed": ["thinkpad t14"]}, {"maker": "Lenovo", "model": "ThinkPad T14"}, NO),
        ("model", {"allowed": ["lenovo thinkpad t14"]}, {"maker": "Lenovo", "model": "ThinkPad T14"}, NO),
        ("model", {"allowed": ["thinkpad"]}, {"maker": "Lenovo", "model": "ThinkPad T14"}, YES),
        ("model", {"allowed": ["thinkpad"]}, {"maker": "Lenovo"}, UNKNOWN),
        ("updates", {"after_d": 30}, {"updates_day": MONDAY_NOON // DAY_MS - 30}, YES),
        ("updates", {"after_d": 30}, {"updates_day": MONDAY_NOON // DAY_MS - 29}, NO),
        ("updates", {"after_d": 30}, {"updates_day": MONDAY_NOON // DAY_MS + 2}, UNKNOWN),
        ("secure_boot", {}, {"secure_boot": False}, YES),
        ("elevated", {}, {"elevated": True}, YES),
        ("elevated", {}, {"elevated": False}, NO),
        ("screenshot_protection", {}, {"screenshot_protection": True}, NO),
        ("screenshot_protection", {}, {"screenshot_protection": False}, UNKNOWN),
        ("screenshot_protection", {}, {}, UNKNOWN),
        # what this program cannot evaluate
        ("weather", {}, {}, UNKNOWN),
        ("app_version", {}, {"app_version": "0.1"}, UNKNOWN),
        ("app_version", {"below": "0.2", "on": "tuesday"}, {"app_version": "0.1"}, UNKNOWN),
        ("app_version", "below 2", {"app_version": "0.1"}, UNKNOWN),
    ],
)
def test_a_signal_is_met_not_met_or_not_known(
    signal: str, condition: Any, posture: dict[str, Any], met: bool | None
) -> None:
    row = {"signal": signal, "condition": condition, "action": "lock_ui", "on_unknown": "restrict"}
    found = judge(policy(row), facts(**posture))
    assert found.rung is {YES: Rung.LOCK_UI, NO: Rung.ALLOW, UNKNOWN: Rung.RESTRICT}[met]
    assert found.blocked == (frozenset(USES) if met is UNKNOWN else frozenset())


def test_every_signal_has_a_case_above() -> None:
    (mark,) = (
        each for each in test_a_signal_is_met_not_met_or_not_known.pytestmark if each.name == "parametrize"
    )
    assert {case[0] for case in mark.args[1]} >= SIGNALS.keys() - {SILENCE, "working_hours"}


@pytest.mark.parametrize(
    ("hours", "zone", "at_h", "outside"),
    [
        (("08:00", "18:00"), "UTC", 0, False),  # Monday noon
        (("08:00", "12:00"), "UTC", 0, True),  # the end is outside
        (("12:00", "18:00"), "UTC", 0, False),  # the beginning is within
        (("08:00", "18:00"), "Asia/Shanghai", 0, True),  # 20:00 there
        (("08:00", "18:00"), "UTC", 24 * 5, True),  # Saturday
        (("22:00", "06:00"), "UTC", 11, False),  # Monday 23:00
        (("22:00", "06:00"), "UTC", 15, False),  # Tuesday 03:00
        (("22:00", "06:00"), "UTC", -9, True),  # Monday 03:00: the night of Sunday, which is no working day
        (("22:00", "06:00"), "UTC", 24 * 4 + 15, False),  # Saturday 03:00: the night of Friday
    ],
)
def test_working_hours_go_by_trusted_time_and_a_named_zone(
    hours: tuple[str, str], zone: str, at_h: int, outside: bool
) -> None:
    condition = {"from": hours[0], "to": hours[1], "zone": zone}
    row = {"signal": "working_hours", "condition": condition, "action": "lock_ui"}
    found = judge(policy(row), facts(now=MONDAY_NOON + at_h * HOUR_MS))
    assert found.rung is (Rung.LOCK_UI if outside else Rung.ALLOW)


@pytest.mark.parametrize(
    ("zone", "at", "outside"),
    [
        (
            "Europe/Berlin",
            1_774_764_000_000,
            True,
        ),  # Sunday 2026-03-29 06:00 UTC = 08:00 there, the clocks gone on
        ("Europe/Berlin", 1_774_850_400_000, False),  # Monday 06:00 UTC = 08:00 in summer time
        ("Europe/Berlin", 1_774_591_200_000, True),  # Friday before, 06:00 UTC = 07:00 in winter time
        ("Mars/Olympus", MONDAY_NOON, None),
    ],
)
def test_summer_time_moves_working_hours_and_nothing_else(zone: str, at: int, outside: bool | None) -> None:
    row = {
        "signal": "working_hours", "condition": {"from": "08:00", "to": "18:00", "zone": zone},
        "action": "lock_ui", "on_unknown": "warn",
    }  # fmt: skip
    expected = Rung.WARN if outside is None else Rung.LOCK_UI if outside else Rung.ALLOW
    assert judge(policy(row), facts(now=at)).rung is expected


@pytest.mark.parametrize(
    ("silent", "rung"),
    [
        (None, Rung.LOCK),  # a device whose contact is not known: only actions wipe
        (0, Rung.ALLOW),
        (14 * DAY_MS - 1, Rung.ALLOW),
        (14 * DAY_MS, Rung.WARN),
        (21 * DAY_MS, Rung.LOCK),
        (60 * DAY_MS - 1, Rung.LOCK),
        (60 * DAY_MS, Rung.WIPE),
    ],
)
def test_silence_warns_locks_and_wipes(silent: int | None, rung: Rung) -> None:
    found = judge(policy(), facts(silent))
    assert found.rung is (Rung.WARN if silent is None else rung)
    assert found.signal == (SILENCE if found.reasons else "")


def test_several_rows_may_name_one_signal_with_rising_actions() -> None:
    rows = [
        {"signal": "app_version", "condition": {"below": "0.5"}, "action": "warn"},
        {"signal": "app_version", "condition": {"below": "0.3"}, "action": "restrict", "uses": ["export"]},
        {"signal": "app_version", "condition": {"below": "0.2"}, "action": "lock_crypto"},
        {"signal": SILENCE, "condition": {"after_d": 2}, "action": "restrict", "uses": ["copy"]},
    ]
    ladder_of = {
        version: judge(policy(*rows), facts(app_version=version)).rung
        for version in ("0.5", "0.4", "0.2", "0.1")
    }
    assert ladder_of == {"0.5": Rung.ALLOW, "0.4": Rung.WARN, "0.2": Rung.RESTRICT, "0.1": Rung.LOCK}
    found = judge(policy(*rows), facts(2 * DAY_MS, app_version="0.2.5"))
    assert found.blocked == {EXPORT, COPY}  # what either takes away
    assert [reason.signal for reason in found.reasons] == [SILENCE, "app_version", "app_version"]


WORD = st.sampled_from([*RUNGS, "freeze", 3, None, ["wipe"]])
NAME = st.sampled_from([*SIGNALS, "weather", 7])
CONDITION = st.sampled_from(
    [
        {}, {"below": "0.2"}, {"below": 2}, {"after_h": 5}, {"after_d": 40}, {"allowed": ["x"]},
        {"system": "debian", "below": "12"}, {"from": "08:00", "to": "17:00", "zone": "UTC"}, "rubbish", [1],
    ]
)  # fmt: skip
RULE = st.fixed_dictionaries(
    {"signal": NAME, "condition": CONDITION, "action": WORD},
    optional={"on_unknown": WORD, "uses": st.sampled_from([[], ["export"], ["copy", "fly"], "all"])},
)
POSTURE = st.dictionaries(
    st.sampled_from(sorted({name for each in SIGNALS.values() for name in each.told})),
    st.sampled_from([True, False, "0.1", "0.9", "debian", "x", 1, 20_000, None, b"", 1.5]),
)
SILENT = st.sampled_from([None, -DAY_MS, 0, 10 * DAY_MS, 30 * DAY_MS, 90 * DAY_MS])


@given(rules=st.lists(RULE, max_size=8), posture=POSTURE, silent=SILENT, seed=st.integers(0, 2**32))
def test_any_rows_give_one_answer_in_any_order(
    rules: list[dict[str, Any]], posture: dict[str, Any], silent: int | None, seed: int
) -> None:
    known = facts(silent, **posture)
    found = judge(policy(*rules), known)
    shuffled = rules[:]
    random.Random(seed).shuffle(shuffled)
    assert judge(policy(*shuffled), known) == found
    assert found.rung == max([Rung.ALLOW, *(reason.rung for reason in found.reasons)])


@given(rules=st.lists(RULE, max_size=6), more=RULE, posture=POSTURE, silent=SILENT)
def test_a_further_row_never_loosens(
    rules: list[dict[str, Any]], more: dict[str, Any], posture: dict[str, Any], silent: int | None
) -> None:
    known = facts(silent, **posture)
    before, after = judge(policy(*rules), known), judge(policy(*rules, more), known)
    assert after.rung >= before.rung
    assert after.blocked >= before.blocked


@given(rules=st.lists(RULE, max_size=8), posture=POSTURE, silent=SILENT)
def test_only_an_action_for_silence_wipes(
    rules: list[dict[str, Any]], posture: dict[str, Any], silent: int | None
) -> None:
    """Even rows that trust would have refused, read as they stand."""
    for reason in judge(policy(*rules), facts(silent, **posture)).reasons:
        if reason.rung is Rung.WIPE:
            assert (reason.signal, reason.unknown) == (SILENCE, False)
            assert silent is not None
            assert silent >= 40 * DAY_MS or any(rule.get("condition") == {"after_h": 5} for rule in rules)


def test_a_row_that_wipes_for_anything_else_is_read_as_one_that_cannot_be_evaluated() -> None:
    """Should such a policy ever come past trust: it locks at most."""
    row = {"signal": "disk_encryption", "condition": {}, "action": "wipe", "on_unknown": "lock_crypto"}
    for posture in ({"disk_encryption": False}, {}):
        assert judge(policy(row), facts(**posture)).rung is Rung.LOCK
    assert judge(policy({**row, "on_unknown": "wipe"}), facts()).rung is Rung.LOCK


@pytest.mark.parametrize(
    "rule",
    [
        *(
            {"signal": name, "condition": {}, "action": "wipe"}
            for name in [*SIGNALS, "weather"]
            if name != SILENCE
        ),
        {"signal": "clock", "action": "wipe_store"},
        {"signal": "clock", "action": "wipe_scope"},
        {"signal": "clock", "action": "warn", "on_unknown": "wipe"},
        {"signal": SILENCE, "condition": {"after_d": 40}, "action": "wipe", "on_unknown": "wipe"},
        {"signal": SILENCE, "condition": {"after_d": 13}, "action": "wipe"},
        {"signal": SILENCE, "condition": {"after_h": 24}, "action": "wipe"},
        {"action": "wipe"},
    ],
)
def test_a_policy_that_wipes_otherwise_is_refused_when_signed_and_when_read(rule: dict[str, Any]) -> None:
    authority = Authority()
    unsound = authority.policy(2, rules=[rule])
    with pytest.raises(Refused):
        soundness.refuse_unsound(unsound)
    from sync.protocol import signing
    from tests.protocol.authority import NOW

    data = signing.sign(unsound, ("", authority.policy_key)).to_bytes()
    with pytest.raises(Refused) as refusal:
        trust.policy(authority.root(), Floors(), data, NOW)
    assert refusal.value.rule in ("policy_wipe", "policy_offline")


def test_a_policy_as_the_first_version_signed_it_reads_as_it_did() -> None:
    """Without rows and uses: nothing but the three times of silence."""
    old = Policy(version=1, org="0a" * 16, issued=0, expires=1)
    assert [(row.signal, row.action) for row in rows_of(old)] == [
        (SILENCE, Rung.WARN), (SILENCE, Rung.LOCK), (SILENCE, Rung.WIPE),
    ]  # fmt: skip
    assert judge(old, facts()).blocked == frozenset()
    assert ladder.needs_told(old) == frozenset()
    soundness.refuse_unsound(old)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"rules": [{"signal": "app_vresion", "condition": {"below": "1"}, "action": "warn"}]},
            "app_vresion",
        ),
        ({"rules": [{"signal": "app_version", "condition": {"bellow": "1"}, "action": "warn"}]}, "form"),
        ({"rules": [{"signal": "app_version", "condition": {"below": "one"}, "action": "warn"}]}, "form"),
        ({"rules": [{"signal": "clock", "action": "lock"}]}, "lock"),
        ({"rules": [{"signal": "clock", "action": "warn", "on_unknown": "ignore"}]}, "ignore"),
        ({"rules": [{"signal": "clock", "action": "warn", "unless": 1}]}, "unless"),
        ({"rules": [{"signal": "clock", "action": "restrict", "uses": ["fly"]}]}, "uses"),
        ({"rules": [{"signal": "clock", "action": "warn"}] * 101}, "100"),
        ({"use": UseRules(export="no")}, "export"),
        ({"use": UseRules(screenshot="block", screenshot_unknown="wipe")}, "wipe"),
        ({"use": UseRules(clear_clipboard_s=-1)}, "clipboard"),
        ({"offline": Offline(warn_h=10, lock_h=5, wipe_d=60)}, "impossible"),
        ({"offline": Offline(wipe_d=13, lock_h=24, warn_h=1)}, "14"),
    ],
)
def test_what_must_not_be_signed_says_why(changed: dict[str, Any], says: str) -> None:
    more = dict(changed)
    unsound = policy(*more.pop("rules", ()), **more)
    with pytest.raises(Refused) as refusal:
        soundness.refuse_unsound(unsound)
    assert says in refusal.value.title


def test_uses_are_taken_away_by_any_word_but_allow() -> None:
    found = judge(policy(use=UseRules(export="block", copy="by_leave")), facts())
    assert found.blocked == {EXPORT, COPY}
    assert found.rung is Rung.ALLOW  # the rules of use are no fault of the device


@pytest.mark.parametrize(
    ("protection", "unknown", "rung"),
    [
        (True, "lock_crypto", Rung.ALLOW),
        (False, "warn", Rung.WARN),
        (False, "restrict", Rung.RESTRICT),
        (None, "lock_crypto", Rung.LOCK),
        (False, "wipe", Rung.LOCK),
        (False, "nonsense", Rung.WARN),
    ],
)
def test_where_screenshots_cannot_be_kept_away_the_rule_says_what_then(
    protection: bool | None, unknown: str, rung: Rung
) -> None:
    posture = {} if protection is None else {"screenshot_protection": protection}
    found = judge(policy(use=UseRules(screenshot="block", screenshot_unknown=unknown)), facts(**posture))
    assert found.rung is rung


def test_what_stands_whatever_policy_says_counts_among_the_rows() -> None:
    found = judge_rows([row_of({"signal": "elevated", "action": "lock_ui"})], facts(elevated=True),
                       [Reason(Rung.LOCK, "clock_back")])  # fmt: skip
    assert (found.rung, found.signal) == (Rung.LOCK, "clock_back")


def test_versions_in_their_order() -> None:
    written = [
        "0.1.0-dev",
        "0.1.0-alpha.1",
        "0.1.0-alpha.10",
        "0.1.0-beta",
        "0.1.0rc1",
        "0.1",
        "0.1.1",
        "0.10",
        "10.0.19045",
    ]
    known = [version_of(text) for text in written]
    assert None not in known
    assert known == sorted(known, key=lambda each: each or ((), (0, 0)))
    assert version_of("0.1.0") == version_of("0.1")
    assert version_of("1" * 500) is None
    assert version_of("") is None


def test_the_page_on_policy_names_every_signal_use_and_action_as_the_code_has_them() -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    rows = {cells[1].strip(" `"): cells[2] for line in page.splitlines() if len(cells := line.split("|")) > 3}
    for signal in SIGNALS.values():
        assert set(re.findall(r"`(\w+)`", rows[signal.name])) == signal.parts.keys()
    assert rows.keys() >= {*USES, *RUNGS}
