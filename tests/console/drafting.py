"""What tests of policy at the console share: drafts that are filled in as a browser without scripts does it."""

from __future__ import annotations

import re

from sync.console import policy_desk, policy_paper
from sync.protocol.documents import Policy
from tests.console.visitor import ConsoleInside, Page, Visitor
from tests.server.driver import Device

NAMES = re.compile(r'<(?:input|select|textarea)[^>]*? name="([^"]+)"')


def tell(device: Device, **posture: object) -> None:
    """Have a device say this of itself."""
    device.exchange([], posture=posture)


def begin(admin: Visitor) -> str:
    """The path of a new draft."""
    admin.get("/policy")
    return admin.post("/policy/drafts").to


def form_of(page: Page) -> dict[str, str]:
    """What a browser without scripts would send back of the draft's form."""
    text = page.text.partition('class="draft-form"')[2].partition("</form>")[0]
    found: dict[str, str] = {}
    for each in re.finditer(r"<input([^>]*)>", text):
        said = dict(re.findall(r'([\w-]+)="([^"]*)"', each[1]))
        if said.get("type") != "checkbox" or " checked" in each[1]:
            found[said["name"]] = said.get("value", "")
    for name, inside in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
        found[name] = chosen[1] if chosen else ""
    found |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL))
    found.pop("add", None)
    return found


def save(admin: Visitor, path: str, **changed: str) -> Page:
    """Change fields of the form and save; `__` stands for a dot."""
    form = form_of(admin.get(path))
    return admin.post(path, {**form, **{name.replace("__", "."): value for name, value in changed.items()}})


def add_row(admin: Visitor, path: str, signal: str, **parts: str) -> None:
    """Add a row, and fill it in."""
    added = save(admin, path, add="row", signal=signal)
    assert added.status == 303, added.plain
    n = added.to.rpartition("#r")[2]
    done = save(admin, path, **{f"r{n}__{name}": value for name, value in parts.items()})
    assert done.status == 303, done.plain


def signed(inside: ConsoleInside, admin: Visitor, path: str) -> bytes:
    """The draft's file, signed by the policy key on another machine."""
    answer = admin.get(f"{path}/policy.json")
    assert answer.status == 200, answer.plain
    found = policy_paper.parsed(answer.text.encode(), inside.now())
    return policy_paper.signed(found, inside.keys, lambda: "").to_bytes()


def in_force(inside: ConsoleInside) -> Policy:
    return policy_desk.in_force(inside.office)


def verbs(inside: ConsoleInside) -> list[tuple[str, str, str]]:
    with inside.store.read() as tx:
        return [(line.actor, line.verb, line.object) for line in tx.post.audit_lines()]
