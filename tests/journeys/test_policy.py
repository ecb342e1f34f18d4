"""IT publishes policies, and laptops follow: what they bar, what they lock, and how they open again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.services import attachments
from app.services.opening import open_session
from app.services.reasons import NotAllowed
from tests.road import ANNA, DAY_MS, Laptop, Town, town

__all__ = ["town"]

Publish = Callable[..., Any]


@pytest.fixture
def publish(town: Town, tmp_path: Path) -> Publish:
    """Sign a policy with these parts; what is not named goes back to nothing."""

    def sign(*rules: dict[str, Any], locks: bool = False, **parts: Any) -> Any:
        plain = dict.fromkeys(("export", "print", "copy", "open_outside", "attach", "screenshot"), "allow")
        use = {**plain, **parts.pop("use", {})}
        file = tmp_path / "policy.json"
        # The number of seconds makes each one another than the one before.
        number = int(town.admin("policy", "show")["version"])
        file.write_text(
            json.dumps({"rules": list(rules), "use": {**use, "clear_clipboard_s": number}, **parts})
        )
        tried = town.admin("policy", "try", str(file))["devices"] if locks else []
        more = ("--locks", str(sum(each["locks"] for each in tried))) if locks else ()
        return town.admin("policy", "publish", str(file), *more)

    return sign


def row(signal: str, action: str, on_unknown: str = "warn", **condition: Any) -> dict[str, Any]:
    """A row of a policy."""
    return {"signal": signal, "condition": condition, "action": action, "on_unknown": on_unknown}


OLD = row("app_version", "restrict", below="99")
LOCKS = row("app_version", "lock_crypto", below="99")
SHUTS = row("app_version", "lock_ui", below="99")


def asks(laptop: Laptop) -> list[str]:
    """Which signals policy finds wanting here."""
    return [each["signal"] for each in laptop.json("status")["policy"]]


def test_what_is_restricted_stays_in_the_program_and_says_why(
    town: Town, publish: Publish, tmp_path: Path
) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Stays here")
    note = tmp_path / "note.txt"
    note.write_text("attached before")
    laptop.json("attach", record, str(note))
    publish(OLD)
    laptop.sync()
    assert asks(laptop) == ["app_version"]
    said = laptop.ask("export", "customer", str(tmp_path / "out.csv"))
    assert said.code == 1
    assert "not one that your organisation accepts" in said.err
    assert "Ask IT for the newer version" in said.err
    assert not (tmp_path / "out.csv").exists()
    assert laptop.ask("attach", record, str(note)).code == 1
    (attached,) = _attachments(laptop, record)
    assert laptop.ask("save-attachment", attached, str(tmp_path / "note2.txt")).code == 1
    for words in (
        ("list", "customer"),
        ("search", "Stays"),
        ("show", record),
        ("list", "customer", "--json"),
    ):
        barred = laptop.ask(*words)
        assert barred.code == 1  # into a pipe, that is an export
        assert "Output into a pipe counts as a file." in barred.err
    with open_session(laptop.profile) as session:
        file = attachments.attached(session, bytes.fromhex(attached.replace("-", "")))
        with pytest.raises(NotAllowed):
            attachments.open_copy(session, file)
    assert laptop.ask("edit", record, "name=Worked on").code == 0  # work goes on
    assert laptop.ask("doctor").code == 0
    publish()
    laptop.sync()
    assert asks(laptop) == []
    assert laptop.show(record)["name"] == "Worked on"
    assert laptop.ask("export", "customer", str(tmp_path / "out.csv")).code == 0


def _attachments(laptop: Laptop, record: str) -> list[str]:
    with open_session(laptop.profile) as session:
        from app.services import records
        from sync.protocol.ids import id_text

        found = session.call(attachments.of, records.get(session, records.find_id(record)))
    return [id_text(each.id) for each in found]


@pytest.mark.parametrize(
    ("use", "words"),
    [("export", ("export", "customer", "FILE")), ("attach", ("attach", "ID", "FILE"))],
)
def test_one_use_is_barred_and_the_others_are_not(
    town: Town, publish: Publish, tmp_path: Path, use: str, words: tuple[str, ...]
) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="One of them")
    there = tmp_path / "there.txt"
    there.write_text("x")
    publish(use={use: "block"})
    laptop.sync()
    places = {"ID": record, "FILE": str(there if use == "attach" else tmp_path / "new.csv")}
    said = laptop.ask(*(places.get(word, word) for word in words))
    assert said.code == 1
    assert "Ask IT if you need it" in said.err
    assert laptop.json("status")["not_allowed"] == [use]
    publish()


def test_a_lock_by_policy_takes_the_share_and_a_milder_policy_gives_it_back(
    town: Town, publish: Publish
) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Unsent in the lock")
    with pytest.raises(AssertionError, match="--locks"):
        publish(LOCKS)
    publish(LOCKS, locks=True)
    said = laptop.ask("sync")
    assert said.code == 3
    assert "not one that your organisation accepts" in said.err
    assert "share.1" not in laptop.entries()
    for words in (("list", "customer"), ("unlock",), ("sync",)):
        assert laptop.ask(*words).code == 3  # the server would give the share back: policy goes on
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 3  # nor does an order open what policy keeps locked
    assert town.device(laptop)["posture"]["rung"] == "lock_crypto"
    publish()
    assert laptop.ask("sync").code == 0
    assert "share.1" in laptop.entries()
    assert [each["name"] for each in laptop.json("list", "customer")].count("Unsent in the lock") == 1


def test_a_window_that_policy_locks_opens_by_a_person_once_it_may(town: Town, publish: Publish) -> None:
    laptop = town.laptop(ANNA)
    publish(SHUTS, locks=True)
    assert laptop.ask("sync").code == 3
    assert "share.1" in laptop.entries()
    assert laptop.ask("unlock").code == 3
    assert laptop.json("status")["state"] == "locked"
    publish()
    assert (
        laptop.ask("sync").code == 3
    )  # it takes the policy; the window stays as it is until somebody unlocks
    assert laptop.ask("unlock").code == 0
    assert laptop.ask("list", "customer").code == 0


def test_working_hours_lock_and_open_by_trusted_time(town: Town, publish: Publish) -> None:
    """A clock put back into working hours is a clock put back."""
    laptop = town.laptop(ANNA)
    hours = row("working_hours", "lock_ui", **{"from": "00:00", "to": "00:00", "zone": "UTC"})  # never
    publish(hours, locks=True)
    assert laptop.ask("sync").code == 3
    assert laptop.later("list", "customer", wall_ms=-DAY_MS).code == 3
    publish()
    laptop.ask("sync")
    laptop.ask("unlock")


def test_an_older_policy_put_back_into_the_folder_does_not_rule(town: Town, publish: Publish) -> None:
    laptop = town.laptop(ANNA)
    laptop.sync()
    old = laptop.profile.policy.read_bytes()
    publish(OLD)
    laptop.sync()
    laptop.profile.policy.write_bytes(old)
    assert laptop.json("status")["state"] == "damaged"
    assert laptop.ask("sync").code == 0  # the server sends the one in force again
    assert asks(laptop) == ["app_version"]
    publish()


@pytest.mark.parametrize(
    ("rules", "parts", "says"),
    [
        (
            [{"signal": "app_version", "condition": {"below": "9"}, "action": "wipe"}],
            {},
            "anything but silence",
        ),
        ([{"signal": "clock", "action": "warn", "on_unknown": "wipe"}], {}, "anything but silence"),
        ([{"signal": "silence", "condition": {"after_d": 3}, "action": "wipe"}], {}, "14 days"),
        ([], {"offline": {"wipe_d": 13, "lock_h": 24, "warn_h": 1}}, "14 days"),
        ([{"signal": "clok", "action": "warn"}], {}, "clok"),
        ([], {"offlin": {}}, "offlin"),
        ([], {"offline": {"lock_h": "long"}}, "another form"),
    ],
)
def test_what_must_not_be_is_refused_at_the_desk(
    publish: Publish, town: Town, rules: list[dict[str, Any]], parts: dict[str, Any], says: str
) -> None:
    before = town.admin("policy", "show")["version"]
    with pytest.raises(AssertionError, match=says):
        publish(*rules, **parts)
    assert town.admin("policy", "show")["version"] == before


def test_a_trial_says_what_would_become_of_the_fleet(town: Town, publish: Publish, tmp_path: Path) -> None:
    laptop = town.laptop(ANNA)
    publish()
    laptop.sync()
    file = tmp_path / "try.toml"
    file.write_text(
        '[[rules]]\nsignal = "keyring"\ncondition = { allowed = ["macos-keychain"] }\naction = "lock_crypto"\n'
        '[[rules]]\nsignal = "screen_lock"\naction = "restrict"\non_unknown = "warn"\n'
    )
    found = town.admin("policy", "try", str(file))
    (mine,) = [each for each in found["devices"] if each["id"] == laptop.id]
    assert (mine["now"], mine["then"], mine["locks"]) == ("allow", "lock_crypto", True)
    assert mine["because"][0] == "keyring"
    assert len(found["changes"]) == 2
    said = town.ask("policy", "try", str(file)).out
    assert "would be locked" in said
    assert laptop.name in said
    file.write_text("[pin]\nrequired = true\nmin_len = 8\n")
    said = town.ask("policy", "try", str(file)).out
    assert "A device without a PIN of 8 characters at least stays locked at its next opening" in said
    assert len(town.admin("policy", "try", str(file))["pins"]) == 2
    shown = town.ask("policy", "show", "--toml").out
    file.write_text(shown)
    assert town.admin("policy", "try", str(file))["changes"] == []  # what is shown reads as what is in force
