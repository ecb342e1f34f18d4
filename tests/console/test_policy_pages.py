"""Policy at the console: what is in force, drafts that work without scripts, and what one would change and do."""

from __future__ import annotations

import pytest

from sync.console.web import policy_editor
from sync.protocol import documents
from sync.protocol.documents import Policy
from sync.protocol.signals import SIGNALS
from tests.console.drafting import NAMES, add_row, begin, form_of, save, tell
from tests.console.visitor import ConsoleInside, Visitor
from tests.server.driver import Device


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    """A laptop that tells of itself, and whose disk is not encrypted."""
    made = inside.device(inside.person("ana@example.com"), "LAP-0388")
    tell(made, disk_encryption=False)
    return made


# -- what is in force


def test_the_policy_in_force_is_told_in_words_with_who_follows_it(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    inside.device(inside.person("bo@example.com"), "MAC-0102")
    page = admin.get("/policy")
    for text in (
        "Policy 1", "in force", "1 of 2 devices follow it", "1 have not said which one",
        "Without contact, a device warns after 14 days.", "Without contact, it wipes itself after 60 days.",
        "A PIN has 6 characters at least.", "Allowed: screenshots.", "To be renewed by",
    ):  # fmt: skip
        assert text in " ".join(page.plain.split()), text
    assert page.heads["cache-control"] == "no-store"
    assert "'unsafe" not in page.heads["content-security-policy"]


def test_who_may_look_alone_is_shown_it_and_given_nothing_to_press(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    path = begin(admin)
    inside.person("mia@example.com", role="privacy")
    looker = inside.admin("mia@example.com")
    for each in ("/policy", path):
        page = looker.get(each)
        assert page.status == 200
        assert "Begin a draft" not in page.plain
        assert "Save the draft" not in page.plain
    form = form_of(admin.get(path))
    for to in (path, f"{path}/drop", "/policy/drafts"):
        assert looker.post(to, {**form, "token": looker.token}).status == 400
    assert looker.get(f"{path}/policy.json").status == 400
    assert looker.upload(f"{path}/file", b"{}").status == 400
    assert inside.office.gate.drafts()[0].rev == 1


# -- a draft


def test_every_field_comes_back_as_it_was_written(inside: ConsoleInside, admin: Visitor) -> None:
    """A policy with a row of every signal goes through the form and back without a change."""
    rules = [
        {"signal": "silence", "condition": {"after_d": 20}, "action": "lock_ui", "on_unknown": "warn"},
        {"signal": "app_version", "condition": {"below": "0.2", "above": "9"}, "action": "warn", "on_unknown": "warn"},
        {"signal": "protocol", "condition": {"below": 2}, "action": "warn", "on_unknown": "allow"},
        {"signal": "os_version", "condition": {"system": "rhel", "below": "9"}, "action": "warn", "on_unknown": "warn"},
        {"signal": "disk_encryption", "condition": {}, "action": "restrict", "on_unknown": "warn", "uses": ["export"]},
        {"signal": "screen_lock", "condition": {"within_min": 5}, "action": "warn", "on_unknown": "warn"},
        {"signal": "keyring", "condition": {"allowed": ["secret-service"]}, "action": "warn", "on_unknown": "warn"},
        {"signal": "model", "condition": {"allowed": ["A 1", "B & <2>"]}, "action": "warn", "on_unknown": "warn"},
        {
            "signal": "working_hours",
            "condition": {"from": "07:00", "to": "19:30", "zone": "Europe/Berlin", "days": ["mon", "sat"]},
            "action": "lock_ui",
            "on_unknown": "lock_ui",
        },
        {"signal": "updates", "condition": {"after_d": 30}, "action": "warn", "on_unknown": "warn"},
    ]  # fmt: skip
    policy = Policy(version=1, org="0" * 32, issued=1, expires=2, rules=rules)
    again = policy_editor.policy_of(policy_editor.fields_of(policy), policy)
    assert documents.parse(again.to_bytes(), Policy) == documents.parse(policy.to_bytes(), Policy)


def test_every_signal_has_its_fields_in_the_form(admin: Visitor) -> None:
    path = begin(admin)
    for name in SIGNALS:
        added = save(admin, path, add="row", signal=name)
        assert added.status == 303, added.plain
    there = set(NAMES.findall(admin.get(path).text))
    for n, signal in enumerate(SIGNALS.values()):
        for part in policy_editor.parts_of(signal):
            wanted = f"r{n}.{part.name}.mon" if part.kind == "days" else f"r{n}.{part.name}"
            assert wanted in there


def test_a_draft_without_scripts_gains_rows_and_loses_them(admin: Visitor) -> None:
    path = begin(admin)
    add_row(admin, path, "app_version", below="0.2.0", action="lock_ui")
    add_row(admin, path, "disk_encryption", action="restrict")
    page = " ".join(admin.get(path).plain.split())
    assert "New:" not in page
    assert "Version of Fieldkeep, below 0.2.0: lock the window." in page
    gone = save(admin, path, remove="0")
    assert gone.to.endswith("#rows")
    page = " ".join(admin.get(path).plain.split())
    assert "Version of Fieldkeep, below" not in page
    assert "Encryption of the disk: restrict." in page


def test_what_is_loosened_stands_first_and_is_called_so(admin: Visitor) -> None:
    path = begin(admin)
    assert save(admin, path, offline__lock="18", offline__warn="15", use__export="block").status == 303
    page = " ".join(admin.get(path).plain.split())
    assert "1 change loosens something." in page
    looser = page.index("Without contact, a device warns after 15 days.")
    assert page.rindex("looser", 0, looser) < looser < page.index("Not allowed: writing records")
    assert looser < page.index("Without contact, it locks after 18 days.")


def test_an_impossible_draft_is_kept_and_not_given_out(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    assert save(admin, path, offline__wipe_d="9", note="half done").status == 303
    page = admin.get(path)
    assert "It cannot be signed like this" in page.plain
    assert "Take the file" not in page.plain
    assert "impossible order" in page.plain
    assert admin.get(f"{path}/policy.json").status == 400
    assert "half done" in admin.get("/policy").plain


def test_a_field_that_cannot_be_read_says_so_beside_it_and_keeps_what_was_typed(
    inside: ConsoleInside, admin: Visitor
) -> None:
    path = begin(admin)
    page = save(admin, path, pin__min_len="a few", note="mine <b>")
    assert page.status == 400
    field = page.text.partition('name="pin.min_len"')[2].partition("</label>")[0]
    assert 'value="a few"' in field
    assert "A whole number is needed here." in field
    assert "mine &lt;b&gt;" in page.text
    assert inside.office.gate.drafts()[0].rev == 1


def test_two_admins_do_not_undo_each_other(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    inside.person("zoe@example.com", role="it")
    other = inside.admin("zoe@example.com")
    stale = form_of(admin.get(path))
    assert save(other, path, inactivity_min="5").status == 303
    answer = admin.post(path, {**stale, "inactivity_min": "60"})
    assert answer.status == 400
    assert "zoe@example.com has changed this draft meanwhile." in answer.plain
    assert "The window locks after 5 minutes" in admin.get(path).plain
    assert "zoe@example.com" in admin.get("/policy").plain


def test_what_is_typed_is_looked_at_and_not_kept(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    path = begin(admin)
    form = {**form_of(admin.get(path)), "inactivity_min": "3"}
    page = admin.post(f"{path}/look", form, hx_request="true")
    assert "The window locks after 3 minutes" in page.plain
    assert "<html" not in page.text
    assert "A whole number" in admin.post(f"{path}/look", {**form, "inactivity_min": "x"}).plain
    assert inside.office.gate.drafts()[0].rev == 1


def test_a_form_of_another_page_changes_nothing(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    form = form_of(admin.get(path))
    for heads in ({"origin": "https://evil.example"}, {"sec_fetch_site": "cross-site"}):
        assert admin.post(path, form, **heads).status == 403
    assert admin.post(path, {**form, "token": "x"}).status == 403
    assert admin.post(f"{path}/drop", {"token": ""}).status == 403
    assert [each.rev for each in inside.office.gate.drafts()] == [1]


def test_a_hundred_rows_fit_and_no_more(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    form = form_of(admin.get(path))
    form["rows"] = "100"
    for n in range(100):
        form |= {f"r{n}.signal": "secure_boot", f"r{n}.action": "warn", f"r{n}.on_unknown": "warn"}
        form |= {f"r{n}.use.{use}": "on" for use in ("export", "print", "copy", "attach")}
    assert admin.post(path, form).status == 303
    form = form_of(admin.get(path))
    assert admin.post(path, {**form, "add": "row", "signal": "secure_boot"}).status == 303
    assert "A policy has at most 100 rows." in admin.get(path).plain


def test_a_draft_can_be_thrown_away_and_too_many_are_refused(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    assert admin.post(f"{path}/drop").to == "/policy"
    assert admin.get(path).status == 404
    for _each in range(50):
        begin(admin)
    admin.get("/policy")
    refused = admin.post("/policy/drafts")
    assert refused.status == 400
    assert "Throw one away first." in refused.plain


# -- the dry run


def test_the_dry_run_names_the_devices_and_those_that_do_not_tell(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    dark = inside.device(inside.person("bo@example.com"), "MAC-0102")
    tell(dark)
    path = begin(admin)
    add_row(admin, path, "disk_encryption", action="lock_crypto", on_unknown="warn")
    page = admin.get(path)
    said = " ".join(page.plain.split())
    assert "1 device would be locked:" in said
    assert "1 device would be warned:" in said
    assert "Encryption of the disk: 1 device does not tell" in said
    assert f'href="/devices/{laptop.enrolment}"' in page.text
    assert "Type the number, if that is meant" in said
