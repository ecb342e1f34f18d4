"""A policy on its way from the draft to the key and back: what is shown, signed and filed, and what is not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import pytest

from sync.compose import admin as command
from sync.console import policy_paper
from sync.console.web import policies
from sync.protocol import signing
from tests.console.drafting import add_row, begin, in_force, save, signed, tell, verbs
from tests.console.visitor import ConsoleInside, Visitor
from tests.protocol.authority import Authority
from tests.server.driver import Device


@pytest.fixture
def laptop(inside: ConsoleInside) -> Device:
    """A laptop that tells of itself, and whose disk is not encrypted."""
    made = inside.device(inside.person("ana@example.com"), "LAP-0388")
    tell(made, disk_encryption=False)
    return made


# -- signing and filing


def test_from_the_draft_to_the_policy_in_force(
    inside: ConsoleInside, admin: Visitor, laptop: Device, tmp_path: Path
) -> None:
    path = begin(admin)
    add_row(admin, path, "disk_encryption", action="lock_crypto", on_unknown="warn")
    data = signed(inside, admin, path)
    refused = admin.upload(f"{path}/file", data)
    assert refused.status == 400
    assert "This policy would lock 1 device: LAP-0388." in refused.plain
    assert "type the number: 1" in refused.plain
    assert in_force(inside).version == 1
    filed = admin.upload(f"{path}/file", data, {"locks": "1"})
    assert filed.to == "/policy", filed.plain
    policy = in_force(inside)
    assert (policy.version, policy.rules[0]["signal"]) == (2, "disk_encryption")
    page = admin.get("/policy")
    assert "Policy 2" in page.plain
    assert "it@example.com" in page.text.partition("Filed")[2].partition("Key")[0]
    assert "0 of 1 device follows it" in " ".join(page.plain.split())
    assert admin.get(path).status == 404
    laptop.session = None
    assert "policy" in [
        paper.kind for paper in laptop.exchange([], posture={"disk_encryption": False}).papers
    ]
    actors = [(verb, number) for actor, verb, number in verbs(inside) if actor.startswith("console:")]
    assert actors[-2:] == [("files a policy", "2"), ("policy", "2")]


def test_what_is_not_the_signed_draft_is_not_filed(
    inside: ConsoleInside, admin: Visitor, tmp_path: Path
) -> None:
    path = begin(admin)
    assert save(admin, path, inactivity_min="7").status == 303
    bare = admin.get(f"{path}/policy.json").text.encode()
    data = signed(inside, admin, path)
    foreign = ConsoleInside(tmp_path / "other")
    mine = json.loads(data)
    forged = policy_paper.parsed(bare, inside.now())
    stranger = policy_paper.signed(
        policy_paper.parsed(
            policy_paper.drawn_up(foreign.office, in_force(foreign), foreign.now())[1], foreign.now()
        ),
        foreign.keys,
        lambda: "",
    )
    foreign.store.close()
    changed = {**mine, "payload": mine["payload"][:-8] + "AAAA" + mine["payload"][-4:]}
    for file, says in (
        (b"", "No file was chosen."),
        (bare, "not signed"),
        (b"{}", "no policy from the console"),
        (b"\xff" * 90, "no policy from the console"),
        (json.dumps(changed).encode(), ""),
        (stranger.to_bytes(), "something else than this draft"),
    ):
        answer = admin.upload(f"{path}/file", file)
        assert answer.status == 400
        assert says in answer.plain, answer.plain
    assert admin.upload(f"{path}/file", b"x" * (policies.UPLOAD_MAX + 1)).status == 413
    assert forged.missing == 1
    assert save(admin, path, inactivity_min="8").status == 303
    assert "something else than this draft does now" in admin.upload(f"{path}/file", data).plain
    assert in_force(inside).version == 1
    assert save(admin, path, inactivity_min="7").status == 303
    assert admin.upload(f"{path}/file", data).to == "/policy"


def test_a_policy_that_took_force_meanwhile_voids_the_file(
    inside: ConsoleInside, admin: Visitor, tmp_path: Path
) -> None:
    one, other = begin(admin), begin(admin)
    assert save(admin, one, inactivity_min="7").status == 303
    assert save(admin, other, inactivity_min="8").status == 303
    files = [signed(inside, admin, each) for each in (one, other)]
    assert admin.upload(f"{one}/file", files[0]).to == "/policy"
    answer = admin.upload(f"{other}/file", files[1])
    assert "Another policy has taken force since this file was made." in answer.plain
    assert "Policy 2 has taken force since this draft was begun on 1" in admin.get(other).plain
    assert admin.upload(f"{other}/file", signed(inside, admin, other)).to == "/policy"
    assert (in_force(inside).version, in_force(inside).inactivity_min) == (3, 8)


def test_a_form_with_a_file_that_is_no_such_form_is_refused(inside: ConsoleInside, admin: Visitor) -> None:
    path = begin(admin)
    for body, media in (
        (b"", "multipart/form-data; boundary=x"), (b"a=b", "application/x-www-form-urlencoded"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"), (b"--x\r\n" * 40, "multipart/form-data; boundary=x"),
    ):  # fmt: skip
        answer = admin._ask("POST", f"{path}/file", body, {"origin": admin.origin, "content_type": media})
        assert answer.status == 403


# -- on the admin's own machine


def test_the_machine_that_signs_shows_it_from_its_bytes_and_needs_no_server(
    inside: ConsoleInside,
    admin: Visitor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = begin(admin)
    assert save(admin, path, inactivity_min="60", pin__required="on").status == 303
    file = tmp_path / "policy-2.json"
    file.write_bytes(admin.get(f"{path}/policy.json").text.encode())
    answer_with(monkeypatch, "yes\n")
    assert sign(file, inside.keys) == 1
    said = capsys.readouterr().err
    assert "[LOOSER] Was: The window locks after 10 minutes without use." in said
    assert said.index("[LOOSER]") < said.index("[stricter]") < said.index("All that it says:")
    assert "nothing was signed" in said
    assert not (tmp_path / "policy-2-signed.json").exists()
    answer_with(monkeypatch, "policy 2\n")
    assert sign(file, inside.keys) == 0
    assert "policy-2-signed.json" in capsys.readouterr().out
    assert admin.upload(f"{path}/file", (tmp_path / "policy-2-signed.json").read_bytes()).to == "/policy"
    assert in_force(inside).inactivity_min == 60


def test_a_file_that_was_meddled_with_is_not_signed(
    inside: ConsoleInside,
    admin: Visitor,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = begin(admin)
    found = policy_paper.parsed(admin.get(f"{path}/policy.json").text.encode(), inside.now())
    answer_with(monkeypatch, "policy 2\n")
    bad = meddled(found)
    for n, (paper, says) in enumerate(bad):
        file = tmp_path / f"{n}.json"
        file.write_bytes(paper.to_bytes())
        assert sign(file, inside.keys) == 1, says
        assert says in capsys.readouterr().err
    file = tmp_path / "good.json"
    file.write_bytes(found.paper.to_bytes())
    other = ConsoleInside(tmp_path / "other")
    other.store.close()
    assert sign(file, other.keys) == 1
    assert "not the policy key of this organisation" in capsys.readouterr().err
    assert sign(tmp_path / "none.json", inside.keys) == 1
    assert not list(tmp_path.glob("*-signed.json"))


def meddled(found: policy_paper.Read) -> list[tuple[policy_paper.PolicyPaper, str]]:
    """Papers that must not be signed, and what is said of each."""
    after, paper = found.after, found.paper
    replace = msgspec.structs.replace
    stranger = Authority().policy_key
    unseen = after.to_bytes()[:-1] + b',"zz_new":"wipes at once"}'
    own = signing.sign(replace(found.before, inactivity_min=999), ("", stranger)).to_bytes()
    return [
        (replace(paper, payload=unseen), "does not know"),
        (replace(paper, payload=replace(after, prev_hash="0" * 64).to_bytes()), "does not follow"),
        (
            replace(paper, payload=replace(after, expires=after.expires + 86_400_000 * 9).to_bytes()),
            "lasts longer",
        ),
        (replace(paper, payload=replace(after, org="1" * 32).to_bytes()), "another organisation"),
        (
            replace(paper, payload=replace(after, rules=[{"signal": "clock", "action": "wipe"}]).to_bytes()),
            "wipes for anything but silence",
        ),
        (replace(paper, root=paper.in_force), "not of the expected type"),
        (replace(paper, in_force=own), "does not follow"),
    ]


def answer_with(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have this typed at the terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def sign(file: Path, keys: Path) -> int:
    """Run the command as on a machine without a server."""
    return command.main(["policy", "sign", str(file), "--keys", str(keys)])
