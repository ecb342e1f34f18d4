"""Signing in at the console: passwords, numbers, passkeys, visits and their ends, and what a stranger gets."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from sync.console.web.asking import IDLE_MS, TOTAL_MS
from tests.console.browser import PASSWORD
from tests.console.visitor import CONSOLE, IT, WIPES, ConsoleInside, SoftKey, Visitor, b64

DEVICE = "/devices/" + "0" * 32
PAGES = ["/devices", DEVICE, f"{DEVICE}/progress", f"{DEVICE}/report", f"{DEVICE}/notice.txt",
         f"{DEVICE}/records.csv", "/people", "/audit", "/account"]  # fmt: skip
ACTS = [f"{DEVICE}/lock", f"{DEVICE}/unlock", f"{DEVICE}/retire", f"{DEVICE}/wipe", "/people", "/people/code",
        "/account/passkey", "/account/passkey/remove", "/account/order-key", "/account/visits",
        "/sign-out"]  # fmt: skip


def audited(inside: ConsoleInside) -> list[str]:
    with inside.store.read() as tx:
        return [line.verb for line in tx.post.audit_lines()]


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_sees_no_page(inside: ConsoleInside, path: str) -> None:
    answer = inside.visitor().get(path)
    assert (answer.status, answer.to) == (303, "/sign-in")
    assert inside.visitor().get(f"{DEVICE}/events").status == 403


@pytest.mark.parametrize("path", ACTS)
def test_a_stranger_does_nothing(inside: ConsoleInside, path: str) -> None:
    before = audited(inside)
    answer = inside.visitor().post(path, {"email": IT})
    assert (answer.status, answer.to) == (303, "/sign-in")
    assert audited(inside) == before


def test_an_invitation_works_once_and_for_a_day(inside: ConsoleInside) -> None:
    url = urlsplit(inside.office.console_invite(IT)).path
    late = urlsplit(inside.office.console_invite(IT)).path
    assert inside.visitor().get(url).status == 400  # a later one takes its place
    inside.visitor().accept(late)
    assert "not valid any more" in inside.visitor().get(late).plain
    third = urlsplit(inside.office.console_invite(IT)).path
    inside.skew = 86_400_000 + 1
    assert inside.visitor().get(third).status == 400
    assert inside.visitor().get("/invite/AAAA").status == 400
    assert inside.visitor().get("/invite/%00").status == 400


@pytest.mark.parametrize(
    ("password", "again", "why"),
    [("short one 1", "short one 1", "too short"), ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "easy to guess"),
     (PASSWORD, PASSWORD + "x", "differ"), ("x" * 201, "x" * 201, "too long")],
)  # fmt: skip
def test_an_easy_password_is_refused(inside: ConsoleInside, password: str, again: str, why: str) -> None:
    url = urlsplit(inside.office.console_invite(IT)).path
    answer = inside.visitor().post(url, {"password": password, "again": again, "number": "123456"})
    assert answer.status == 403
    assert why in answer.plain


def test_password_and_number_sign_in_and_a_number_works_once(inside: ConsoleInside, admin: Visitor) -> None:
    again = Visitor(inside.desk, letters=admin.letters)
    assert again.sign_in(0).status == 403  # used when the account was set up
    assert again.sign_in(1).to == "/devices"
    assert again.get("/devices").status == 200
    assert Visitor(inside.desk, letters=admin.letters).sign_in(1).status == 403
    assert [each for each in audited(inside) if each.startswith("signed in")] == ["signed in by password"] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "another one altogether"},
        {"number": "000000"},
        {"number": ""},
        {"email": "no@example.com"},
    ],
)
def test_whatever_does_not_fit_is_refused_in_the_same_words(
    inside: ConsoleInside, admin: Visitor, wrong: dict[str, Any]
) -> None:
    other = Visitor(inside.desk, letters=admin.letters)
    answer = other.sign_in(**wrong)
    assert answer.status == 403
    assert "This does not fit together." in answer.plain
    assert not other.cookies
    assert "refused to sign in" in audited(inside)[-1]


def test_who_guesses_has_to_wait(inside: ConsoleInside, admin: Visitor) -> None:
    guess = inside.visitor()
    for _each in range(10):
        assert guess.post("/sign-in", {"email": IT, "password": "x", "number": "1"}).status == 403
    assert "Too many tries." in guess.post("/sign-in", {"email": "no@example.com", "password": "x"}).plain
    # From wherever: the account itself is guarded, too.
    elsewhere = Visitor(inside.desk, letters=admin.letters, address="192.0.2.99")
    assert elsewhere.sign_in().status == 400
    inside.skew = 61_000
    assert Visitor(inside.desk, letters=admin.letters).sign_in(2).to == "/devices"


def test_a_password_that_is_known_ends_with_twenty_wrong_numbers(
    inside: ConsoleInside, admin: Visitor
) -> None:
    other = Visitor(inside.desk, letters=admin.letters)
    for each in range(20):
        inside.skew = each * 61_000
        assert other.sign_in(number="12").status == 403
    inside.skew += 61_000
    now = int(time.time()) + inside.skew // 1000
    assert other.sign_in(number=other.number(0, now)).status == 403
    fresh = urlsplit(inside.office.console_invite(IT)).path  # a new invitation mends it
    assert inside.visitor().get(fresh).status == 200


def test_the_cookie_is_of_this_host_alone_and_of_no_script(inside: ConsoleInside) -> None:
    visitor = inside.visitor()
    answer = visitor.accept(inside.office.console_invite(IT))
    (cookie,) = answer.cookies
    words = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-fieldkeep=")
    assert words == {"path=/", "secure", "httponly", "samesite=strict"}


def test_a_cookie_that_was_planted_is_never_the_visits(inside: ConsoleInside, admin: Visitor) -> None:
    planted = Visitor(inside.desk, cookies={"__Host-fieldkeep": "planted"}, letters=admin.letters)
    assert planted.sign_in().to == "/devices"
    assert planted.cookies["__Host-fieldkeep"] not in ("planted", admin.cookies["__Host-fieldkeep"])
    assert Visitor(inside.desk, cookies={"__Host-fieldkeep": "planted"}).get("/devices").to == "/sign-in"


def test_a_visit_that_signs_in_again_is_another_one(inside: ConsoleInside, admin: Visitor) -> None:
    before = admin.cookies["__Host-fieldkeep"]
    token = admin.token
    admin.get("/account")
    answer = admin.post(
        "/sign-in", {"token": token, "email": IT, "password": PASSWORD, "number": admin.number(1)}
    )
    assert answer.to == "/devices", answer.plain
    assert Visitor(inside.desk, cookies={"__Host-fieldkeep": before}).get("/devices").to == "/sign-in"


def test_visits_end(inside: ConsoleInside, admin: Visitor) -> None:
    """By silence, by their length, by the person, by the role, by a new invitation."""
    other = Visitor(inside.desk, letters=admin.letters)
    assert other.sign_in().to == "/devices"
    inside.skew = IDLE_MS - 60_000
    assert admin.get("/devices").status == 200
    inside.skew += IDLE_MS
    assert admin.get("/devices").to == "/sign-in"
    inside.skew = 0
    assert other.get("/devices").status == 200
    for _each in range(TOTAL_MS // (IDLE_MS - 60_000)):
        other.get("/devices")
        inside.skew += IDLE_MS - 60_000
    inside.skew = TOTAL_MS + 60_000
    assert other.get("/devices").to == "/sign-in"


def test_who_signs_out_or_ends_the_others_is_out(inside: ConsoleInside, admin: Visitor) -> None:
    other = Visitor(inside.desk, letters=admin.letters)
    other.sign_in()
    admin.get("/account")
    assert admin.post("/account/visits").to == "/account"
    assert other.get("/devices").to == "/sign-in"
    kept = dict(admin.cookies)
    assert admin.get("/devices").status == 200
    assert admin.post("/sign-out").to == "/sign-in"
    assert not admin.cookies
    assert Visitor(inside.desk, cookies=kept).get("/devices").to == "/sign-in"


def test_who_has_no_such_role_any_more_is_out_at_once(inside: ConsoleInside, admin: Visitor) -> None:
    assert admin.get("/devices").status == 200
    inside.office.add_person(IT, "rep", "Sales", "")
    assert admin.get("/devices").to == "/sign-in"
    assert Visitor(inside.desk, letters=admin.letters).sign_in().status == 403
    inside.office.add_person(IT, "it", "IT", "")
    inside.office.console_invite(IT)
    assert admin.get("/devices").status == 200  # an invitation alone changes nothing
    inside.office.console_revoke(IT)
    assert admin.get("/devices").to == "/sign-in"
    assert Visitor(inside.desk, letters=admin.letters).sign_in(2).status == 403


def test_a_new_invitation_that_is_taken_up_ends_what_was(inside: ConsoleInside, admin: Visitor) -> None:
    key = SoftKey()
    page = admin.get("/account")
    admin.post(
        "/account/passkey", {"ticket": page.field("ticket"), "answer": key.create(page.options, CONSOLE)}
    )
    inside.admin()
    assert admin.get("/devices").to == "/sign-in"
    door = inside.visitor().get("/sign-in")
    form = {"challenge": door.field("challenge"), "answer": key.get(door.options, CONSOLE)}
    assert inside.visitor().post("/sign-in/passkey", form).status == 403


# --- passkeys ---------------------------------------------------------------------------------


@pytest.fixture
def key(admin: Visitor) -> SoftKey:
    made = SoftKey()
    page = admin.get("/account")
    form = {"ticket": page.field("ticket"), "label": "Mine", "answer": made.create(page.options, CONSOLE)}
    assert admin.post("/account/passkey", form).to == "/account"
    assert "Mine" in admin.get("/account").plain
    return made


def test_a_passkey_signs_in_and_its_answer_works_once(inside: ConsoleInside, key: SoftKey) -> None:
    visitor = inside.visitor()
    page = visitor.get("/sign-in")
    form = {"challenge": page.field("challenge"), "answer": key.get(page.options, CONSOLE)}
    assert visitor.post("/sign-in/passkey", form).to == "/devices"
    assert "signed in by passkey" in audited(inside)
    assert inside.visitor().post("/sign-in/passkey", form).status == 403


BENT = {
    "another origin": {"origin": "https://localhost"},
    "the signing host": {"origin": WIPES},
    "a page around it": {"topOrigin": "https://evil.test"},
    "cross origin": {"crossOrigin": True},
    "made at registration": {"type": "webauthn.create"},
    "another challenge": {"challenge": b64(b"x" * 44)},
    "nobody verified": {"flags": 0x01},
    "nobody there": {"flags": 0x04},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=list(BENT))
def test_a_bent_answer_is_refused(inside: ConsoleInside, key: SoftKey, bent: dict[str, object]) -> None:
    page = inside.visitor().get("/sign-in")
    answer = key.get(page.options, **{"origin": CONSOLE, **bent})  # type: ignore[arg-type]
    form = {"challenge": page.field("challenge"), "answer": answer}
    assert inside.visitor().post("/sign-in/passkey", form).status == 403


def test_a_challenge_of_our_own_making_is_wanted_and_a_fresh_one(inside: ConsoleInside, key: SoftKey) -> None:
    page = inside.visitor().get("/sign-in")
    forged = b64(b"\0" * 44)
    answer = key.get({**page.options, "challenge": forged}, CONSOLE)
    assert inside.visitor().post("/sign-in/passkey", {"challenge": forged, "answer": answer}).status == 403
    form = {"challenge": page.field("challenge"), "answer": key.get(page.options, CONSOLE)}
    inside.skew = 121_000
    assert inside.visitor().post("/sign-in/passkey", form).status == 403
    for junk in ("", "{}", "[]", "x", '{"response":{"clientDataJSON":"e30"}}', '{"a":' * 5_000, "x" * 20_000):
        assert inside.visitor().post("/sign-in/passkey", {"challenge": forged, "answer": junk}).status in (
            400,
            403,
        )


def test_a_passkey_that_was_removed_signs_nobody_in(
    inside: ConsoleInside, admin: Visitor, key: SoftKey
) -> None:
    page = admin.get("/account")
    assert admin.post("/account/passkey/remove", {"passkey": page.field("passkey")}).to == "/account"
    door = inside.visitor().get("/sign-in")
    form = {"challenge": door.field("challenge"), "answer": key.get(door.options, CONSOLE)}
    assert inside.visitor().post("/sign-in/passkey", form).status == 403


def test_nobody_takes_or_removes_anothers_passkey(
    inside: ConsoleInside, admin: Visitor, key: SoftKey
) -> None:
    inside.office.add_person("ed@example.com", "it", "IT", "")
    ed = inside.admin("ed@example.com")
    page = admin.get("/account")
    assert ed.post("/account/passkey/remove", {"passkey": page.field("passkey")}).status == 400
    mine = ed.get("/account")
    form = {"ticket": mine.field("ticket"), "answer": key.create(mine.options, CONSOLE)}
    assert "in use already" in ed.post("/account/passkey", form).plain
    form = {"ticket": page.field("ticket"), "answer": SoftKey().create(page.options, CONSOLE)}
    assert "too old" in ed.post("/account/passkey", form).plain


def test_two_who_come_at_once_with_one_number_are_one(inside: ConsoleInside, admin: Visitor) -> None:
    """And the two passwords that are looked at together do not wait for each other."""
    number = admin.number(1)
    both = [Visitor(inside.desk, letters=admin.letters) for _each in range(4)]
    with ThreadPoolExecutor(4) as together:
        answers = list(together.map(lambda visitor: visitor.sign_in(number=number), both))
    assert sorted(each.status for each in answers) == [303, 403, 403, 403]
