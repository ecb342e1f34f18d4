"""The console's pages: who may do what, forms that others send, names that bite, and heads that keep pages apart."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from sync.protocol.desk import DeviceView
from tests.console.visitor import CONSOLE, IT, WIPES, ConsoleInside, Page, Visitor, folder
from tests.server.driver import Device

EVIL = "\"><script>alert(1)</script>'&amp;{{7*7}}"


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    made = inside.device(inside.person("ana@example.com"), "LAP-0388")
    made.add("customer", name="Café Größe")
    made.sync()
    return made


def view(inside: ConsoleInside, device: Device) -> DeviceView:
    return inside.view(device)


def page_of(device: Device) -> str:
    return f"/devices/{device.enrolment}"


def verbs(inside: ConsoleInside) -> list[str]:
    with inside.store.read() as tx:
        return [line.verb for line in tx.post.audit_lines()]


# --- devices ----------------------------------------------------------------------------------


def test_devices_are_listed_found_and_filtered(inside: ConsoleInside, admin: Visitor, laptop: Device) -> None:
    other = inside.device(inside.person("bo@example.com", team="Office"), "MAC-0102")
    other.exchange([], unsent=4)
    inside.lock(other)
    assert "MAC-0102" in admin.get("/devices").plain
    for query, shown in (
        ("q=lap-03", {"LAP-0388"}), ("q=bo@", {"MAC-0102"}), ("q=office+mac", {"MAC-0102"}), ("q=nothing", set()),
        ("state=unsent", {"MAC-0102"}), ("state=locked", {"MAC-0102"}), ("state=wiped", set()),
        ("state=quiet", set()), ("state=all&sort=name", {"LAP-0388", "MAC-0102"}),
        ("state=nonsense", {"LAP-0388", "MAC-0102"}),
        ("page=99", {"LAP-0388", "MAC-0102"}), ("page=-1", {"LAP-0388", "MAC-0102"}),
        ("page=" + "9" * 30, {"LAP-0388", "MAC-0102"}),
    ):  # fmt: skip
        assert set(re.findall(r"(?:LAP|MAC)-\d{4}(?=</a>)", admin.get(f"/devices?{query}").text)) == shown, (
            query
        )
    inside.skew = 8 * 86_400_000
    later = inside.visitor()
    later.letters, later.cookies = admin.letters, {}
    fragment = Visitor(inside.desk, admin.cookies).get("/devices", hx_request="true")
    assert fragment.to == "/sign-in"  # the visit has ended meanwhile


def test_many_devices_come_page_by_page(inside: ConsoleInside, admin: Visitor) -> None:
    email = inside.person("ana@example.com")
    for each in range(55):
        inside.device(email, f"LAP-{each:04}")
    first, second = admin.get("/devices?sort=name"), admin.get("/devices?sort=name&page=2")
    assert len(re.findall(r"LAP-\d{4}</a>", first.text)) == 50
    assert re.findall(r"LAP-\d{4}(?=</a>)", second.text) == [f"LAP-{each:04}" for each in range(50, 55)]
    assert "page 1 of 2" in first.plain
    fragment = admin.get("/devices?q=0054", hx_request="true")
    assert fragment.text.lstrip().startswith("<nav")
    assert "LAP-0054" in fragment.text


def test_a_device_says_its_posture_and_its_policy(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    said = {"disk_encryption": False, "screen_lock": True, "keyring": "gnome-keyring", "os": {"odd": 1}}
    laptop.exchange([], posture=said, policy_version=1)
    text = " ".join(admin.get(page_of(laptop)).plain.split())
    for words in (
        "Disk encryption no",
        "Screen lock yes",
        "Keyring gnome-keyring",
        "Clock not said",
        "Policy version 1",
    ):
        assert words in text
    assert "ana@example.com" in text
    assert admin.get("/devices/" + "0" * 32).status == 404


def test_it_locks_unlocks_and_retires(inside: ConsoleInside, admin: Visitor, laptop: Device) -> None:
    admin.get(page_of(laptop))
    assert admin.post(f"{page_of(laptop)}/lock", {"reason": "left in a taxi"}).to == page_of(laptop)
    assert view(inside, laptop).pending == "lock"
    assert admin.post(f"{page_of(laptop)}/lock").to == page_of(laptop)
    assert len(inside.office.orders()) == 1  # the lock that stands is enough
    text = admin.get(page_of(laptop)).plain
    assert "Lock on its way" in text
    assert "left in a taxi" in text
    assert admin.post(f"{page_of(laptop)}/unlock").status == 303
    assert admin.post(f"{page_of(laptop)}/retire").status == 303
    assert view(inside, laptop).pending == "lock"
    assert "LAP-0388" not in admin.get("/devices").text.partition("<table")[2]
    assert "LAP-0388" in admin.get("/devices?state=aside").plain
    assert admin.post(f"{page_of(laptop)}/unlock").status == 303
    assert "LAP-0388" in admin.get("/devices").plain
    with inside.store.read() as tx:
        lines = [(line.actor, line.verb) for line in tx.post.audit_lines()]
    asked = [at for at, line in enumerate(lines) if line[1].startswith("asks for: lock")]
    assert lines[asked[0]][0].startswith("console:")
    assert lines[asked[0] + 1] == ("server", "lock")  # said before it takes effect


def test_unsent_work_of_a_retired_device_is_taken(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    admin.get(page_of(laptop))
    admin.post(f"{page_of(laptop)}/retire")
    id_ = laptop.add("customer", name="In the last week")
    laptop.exchange()
    assert not laptop.waiting
    with inside.store.read() as tx:
        assert tx.records.held(id_) is not None


def test_progress_is_told_step_by_step(inside: ConsoleInside, admin: Visitor, laptop: Device) -> None:
    data = inside.wipe(laptop)
    text = admin.get(f"{page_of(laptop)}/progress").text
    assert text.count('class="done"') == 1
    assert text.count('class="open"') == 5
    laptop.add("customer", name="Unsent")
    laptop.hand_in(laptop.receipt(data))
    text = admin.get(f"{page_of(laptop)}/progress").text
    assert text.count('class="done"') == 6
    assert "1 sealed change" in text or "2 sealed changes" in text
    assert "Wiped, receipt verified" in admin.get(page_of(laptop)).plain
    assert "wiped or about to be" in admin.post(f"{page_of(laptop)}/lock").plain


def test_a_wipe_alarms_every_admin(inside: ConsoleInside, admin: Visitor, laptop: Device) -> None:
    inside.office.add_person("ed@example.com", "it", "IT", "")
    inside.wipe(laptop)
    for visitor in (admin, inside.admin("ed@example.com")):
        for path in ("/devices", "/people", "/audit", "/account"):
            assert "Wipe ordered" in visitor.get(path).plain


# --- people -----------------------------------------------------------------------------------


def test_people_are_added_and_changed(inside: ConsoleInside, admin: Visitor) -> None:
    admin.get("/people")
    form = {"email": "ana@example.com", "role": "rep", "team": "Sales/East", "sight": "some",
            "territories": "North\r\nSouth\r\n", "care": "internal"}  # fmt: skip
    assert admin.post("/people", form).to == "/people"
    (ana,) = [each for each in inside.office.people() if each.email == "ana@example.com"]
    assert (ana.role, ana.team, ana.territories, ana.care) == (
        "rep",
        "Sales/East",
        ["North", "South"],
        "internal",
    )
    assert 'value="ana@example.com"' in admin.get("/people?person=ana%40example.com").text
    assert admin.post("/people", {**form, "sight": "own"}).to == "/people"
    (ana,) = [each for each in inside.office.people() if each.email == "ana@example.com"]
    assert ana.own_alone
    for wrong in (
        {"role": "king"},
        {"team": " / "},
        {"care": "none"},
        {"email": "no address"},
        {"sight": "some", "territories": " "},
    ):
        assert admin.post("/people", {**form, **wrong}).status == 400
    assert "ana@example.com" in admin.get("/people?q=east").plain


def test_a_code_is_shown_once_with_its_picture(inside: ConsoleInside, admin: Visitor) -> None:
    email = inside.person("ana@example.com")
    admin.get("/people")
    page = admin.post("/people/code", {"email": email})
    found = re.search(r"FK1-[A-Z2-7-]+", page.text)
    assert found
    assert "<svg" in page.text
    made = Device(inside.send, "LAP-1")
    assert made.enrol(found[0]).enrolment
    assert admin.post("/people/code", {"email": "nobody@example.com"}).status == 400


def test_who_may_look_may_not_act(inside: ConsoleInside, laptop: Device) -> None:
    inside.office.add_person("pia@example.com", "privacy", "Company", "")
    pia = inside.admin("pia@example.com")
    for path in ("/devices", page_of(laptop), f"{page_of(laptop)}/report", "/people", "/audit", "/account"):
        page = pia.get(path)
        assert page.status == 200
        assert "Lock device" not in page.text
    before = (len(inside.office.orders()), len(inside.office.people()))
    for path in (f"{page_of(laptop)}/lock", f"{page_of(laptop)}/unlock", f"{page_of(laptop)}/retire",
                 f"{page_of(laptop)}/wipe", "/people", "/people/code", "/account/order-key"):  # fmt: skip
        form = {"email": "ana@example.com", "role": "it", "team": "IT", "name": "LAP-0388", "reason": "x"}
        assert "Your role may look at this" in pia.post(path, form).plain
    assert (len(inside.office.orders()), len(inside.office.people())) == before


def test_the_console_is_for_no_other_role(inside: ConsoleInside) -> None:
    inside.person("ana@example.com")
    with pytest.raises(Exception, match="roles it and privacy"):
        inside.office.console_invite("ana@example.com")


# --- forms of others --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://evil.test"}, {"origin": WIPES}, {"origin": "null"}, {"origin": ""},
        {"origin": "https://localhost:8443"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"},
    ],
)  # fmt: skip
def test_a_form_of_another_page_does_nothing(
    inside: ConsoleInside, admin: Visitor, laptop: Device, bent: dict[str, str]
) -> None:
    admin.get(page_of(laptop))
    before = verbs(inside)
    assert admin.post(f"{page_of(laptop)}/lock", None, **bent).status == 403
    assert admin.post("/sign-in", {"email": IT, "password": "x", "number": "1"}, **bent).status == 403
    assert not inside.office.orders()
    assert verbs(inside) == before


def test_a_form_without_the_visits_own_word_does_nothing(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    inside.office.add_person("ed@example.com", "it", "IT", "")
    ed = inside.admin("ed@example.com")
    for token in ("", "x", ed.token, admin.token[:-1]):
        assert admin.post(f"{page_of(laptop)}/lock", {"token": token}).status == 403
    assert not inside.office.orders()
    assert admin.get(f"{page_of(laptop)}/lock").status == 404  # or by a link


def test_a_body_that_is_no_form_of_ours_is_refused(inside: ConsoleInside, admin: Visitor) -> None:
    assert admin.raw("/sign-in", b"x" * 70_000).status == 413
    for body in (b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(99)), b"noequals", b"%ff=%fe&" * 9):
        assert admin.raw("/sign-in", body).status in (400, 403)


# --- names that bite --------------------------------------------------------------------------


def test_names_and_reasons_are_shown_as_they_are_and_do_nothing(inside: ConsoleInside) -> None:
    """A device's name is chosen by whoever enrols it, and what it says of itself by whoever has it."""
    admin = inside.admin()
    email = "a'b&<i>@example.com"
    inside.office.add_person(email, "rep", EVIL[:40], "")
    laptop = inside.device(email, EVIL[:60])
    laptop.exchange([], posture={"keyring": EVIL, "os": EVIL}, app_version=EVIL)
    admin.get(page_of(laptop))
    admin.post(f"{page_of(laptop)}/lock", {"reason": EVIL})
    inside.wipe(laptop)
    paths = ("/devices", page_of(laptop), f"{page_of(laptop)}/progress", f"{page_of(laptop)}/report", "/people",
             f"/people?q={EVIL}", f"/devices?q={EVIL}", f"/audit?q={EVIL}", "/audit", "/account")  # fmt: skip
    for path in paths:
        page = admin.get(path)
        assert page.status == 200, path
        assert "<script>alert" not in page.text, path
        assert "<i>@" not in page.text, path
    assert "<script>alert(1)</script>" in admin.get(page_of(laptop)).plain  # escaped, not lost


def test_no_line_gets_into_a_head(inside: ConsoleInside, admin: Visitor) -> None:
    for back in ("/devices\r\nset-cookie: a=b", "//evil.test", "https://evil.test", "/\\evil.test",
                 "javascript:alert(1)", "/devices%0d%0aset-cookie:a", "/" * 9):  # fmt: skip
        page = admin.post("/language", {"language": "zh_CN", "back": back})
        assert page.status == 303
        assert page.to.startswith("/devices"), back
        assert "\n" not in page.to
        assert len(page.cookies) == 1
    assert admin.post("/language", {"language": "xx\r\n", "back": "/people"}).cookies == []
    assert (
        admin.post("/language", {"language": "en", "back": "/people?q=a&page=2"}).to == "/people?q=a&page=2"
    )


# --- heads, hosts, languages ------------------------------------------------------------------


def _guarded(page: Page) -> None:
    assert page.heads["cache-control"] == "no-store"
    assert page.heads["x-content-type-options"] == "nosniff"
    policy = page.heads["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_no_page_is_kept_framed_or_fed_from_elsewhere(
    inside: ConsoleInside, admin: Visitor, laptop: Device
) -> None:
    paths = ("/devices", page_of(laptop), f"{page_of(laptop)}/report", f"{page_of(laptop)}/notice.txt",
             f"{page_of(laptop)}/records.csv", "/people", "/audit", "/account", "/nowhere", "/devices/x")  # fmt: skip
    for path in paths:
        _guarded(admin.get(path))
    for path in ("/sign-in", "/devices", "/invite/x"):
        _guarded(inside.visitor().get(path))
    _guarded(inside.visitor().get(f"{WIPES}/sign/x"))
    assert admin.get("/static/console.css").heads["cache-control"] == "no-cache"
    assert admin.get("/static/..%2fpages%2fbase.html").status == 404
    for path in ("/devices/", f"{page_of(laptop)}/", "/static/"):  # no redirection of the framework's own
        assert admin.get(path, host="localhost:1").status == 404


def test_no_page_holds_script_or_style_of_its_own() -> None:
    for path in sorted((folder() / "pages").glob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src=)", text), path.name
        assert not re.search(r"\|\s*safe", text.replace("{{ picture|safe }}", "")), path.name


def test_only_our_two_hosts_are_answered(inside: ConsoleInside, admin: Visitor) -> None:
    """A name of somebody else that leads to this address sees no page, and brings no cookie."""
    for url in (
        "https://127.0.0.1:8444/devices",
        "https://evil.test:8444/devices",
        "https://x.localhost:8444/sign-in",
    ):
        page = inside.visitor().get(url)
        assert page.status == 421
        assert CONSOLE in page.text
    assert inside.visitor().get(f"{WIPES}/devices").status == 404
    assert inside.visitor().get(f"{WIPES}/sign-in").status == 404
    assert admin.get("/sign/abc").status == 404
    assert admin.get("/.well-known/webauthn").status == 404
    assert inside.visitor().get(f"{WIPES}/.well-known/webauthn").status == 404


def test_who_comes_from_the_other_host_is_sent_on_with_the_cookie(inside: ConsoleInside) -> None:
    """A strict cookie does not come along from there; the page that is loaded once more brings it."""
    page = inside.visitor().get("/devices?q=x", sec_fetch_site="cross-site")
    assert page.status == 200
    assert 'http-equiv="refresh" content="0"' in page.text
    assert inside.visitor().get("/devices", sec_fetch_site="same-origin").to == "/sign-in"


@pytest.mark.parametrize(
    ("asked", "words"),
    [("zh-CN,zh;q=0.9", "登录"), ("zh-TW", "登入"), ("de,en;q=0.5", "Sign in"), ("xx;q=a,,;", "Sign in"),
     ("zh-Hant-HK", "登入")],
)  # fmt: skip
def test_it_speaks_the_language_of_the_browser_or_the_chosen_one(
    inside: ConsoleInside, asked: str, words: str
) -> None:
    visitor = inside.visitor()
    assert words in visitor.get("/sign-in", accept_language=asked).plain
    visitor.post("/language", {"language": "zh_TW", "back": "/sign-in"})
    assert "登入" in visitor.get("/sign-in", accept_language=asked).plain


def test_refusals_of_the_house_come_in_the_language_of_who_asks(
    inside: ConsoleInside, admin: Visitor
) -> None:
    admin.get("/people")
    form = {"email": "no address", "role": "rep", "team": "Sales"}
    english = admin.post("/people", form).plain
    admin.post("/language", {"language": "zh_CN", "back": "/people"})
    chinese = admin.post("/people", form).plain
    assert english != chinese
    assert re.search("[一-鿿]{4}", chinese.partition("Fieldkeep")[2])


def test_the_colours_are_those_of_the_desktop() -> None:
    from app.ui.theme.tokens import COLOURS

    text = (folder() / "static" / "console.css").read_text(encoding="utf-8")
    light, dark = text.split("@media (prefers-color-scheme: dark)")[:2]
    for colour, shade in COLOURS.items():
        name = f"--{colour.value.replace('_', '-')}: #"
        assert f"{name}{shade.light};" in light
        assert f"{name}{shade.dark};" in dark
    rest = dark.partition("\n}\n}")[2] or dark.partition("}\n}")[2]
    assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", rest)) <= {"#ffffff"}  # the ground of a QR code
    assert urlsplit(CONSOLE).hostname == "localhost"
