"""The session that every recording plays: two reps and a lost laptop, with each thing that the wire knows.

All of it is invented. It speaks by commands alone, so it is played with any version as it stands.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from tests.versions.program import Version

ANNA, BEN, WEST = "anna@example.com", "ben@example.com", "west@example.com"
PEOPLE: Final = {
    ANNA: ("rep", "Sales/East"),
    BEN: ("rep", "Sales/East"),
    WEST: ("rep", "Sales/West"),
    "manager@example.com": ("manager", "Sales"),
}
LAPTOPS: Final = {"laptop-anna": ANNA, "laptop-ben": BEN, "laptop-lost": BEN}
PROFILE: Final = "laptop-ben"  # kept with all its files at the end
KINDS: Final = ("customer", "contact", "deal", "product", "task", "activity", "consent")
LOOKED_FOR: Final = ("harbour", "王芳", "5550123", "crane", "unsent")


def begin(version: Version) -> dict[str, str]:
    """Accounts for everybody and a code for each laptop; the codes."""
    for email, (role, team) in PEOPLE.items():
        version.admin("person", "add", email, "--role", role, "--team", team)
    return {name: str(version.admin("enrol-code", email)["code"]) for name, email in LAPTOPS.items()}


def play(version: Version, codes: dict[str, str]) -> None:
    """What happens, from the first enrolment until nothing waits anywhere."""
    names = {}
    for name, code in codes.items():
        names[name] = str(version.said(name, "enrol", "--name", name, stdin=code)["device_id"])
    anna, ben, lost = (functools.partial(version.said, name) for name in LAPTOPS)
    ids = _fill(anna)
    for laptop in (anna, ben, lost):
        laptop("sync")

    # Edits that meet, and edits that do not.
    harbour = ids["Blue Harbour"]
    anna("edit", harbour, "-", stdin={"stage": "customer", "industry": "Tea"})
    ben("edit", harbour, "-", stdin={"stage": "former", "tags": ["port", "crane"]})
    ben("edit", ids["Wang Fang"], "-", stdin={"notes": "Likes 茶; calls back on Monday.", "role": "Buyer"})
    ben("delete", ids["Call back"])
    for laptop in (anna, ben, anna):
        laptop("sync")
    ben("undelete", ids["Call back"])
    ben("add", "activity", "-", stdin={"subject": "Visit at the quay", "type": "visit", "customer": harbour})
    ben("sync")

    # A change that is refused: its record goes to another team first.
    anna("edit", ids["Green Mill"], "-", stdin={"owner": WEST})
    ben("edit", ids["Green Mill"], "-", stdin={"industry": "Paper"})
    for laptop in (anna, ben):
        laptop("sync")

    # A lock and its end; a device compares what it holds.
    version.admin("lock", names["laptop-ben"], "--reason", "mislaid")
    version.device("laptop-ben", "sync")
    version.admin("unlock", names["laptop-ben"], "--reason", "found")
    for _each in range(2):
        version.device("laptop-ben", "sync")
    version.device("laptop-ben", "unlock")
    version.device("laptop-anna", "doctor", "--json")

    # A lost laptop is wiped, and its work goes to its person's other one.
    lost("add", "customer", "-", stdin={"name": "Lost and found", "industry": "Rope"})
    lost("edit", harbour, "-", stdin={"employees": 120})
    lost("lock")  # so it sends nothing more before it hears of its end
    version.admin("wipe", names["laptop-lost"], "--reason", "stolen")
    version.device("laptop-lost", "sync")
    version.admin("recover", names["laptop-lost"], "--to", names["laptop-ben"])
    for laptop in (ben, ben, anna):
        laptop("sync")


def wait(version: Version) -> None:
    """Work of the laptop that is kept, which its server has not seen."""
    ben = functools.partial(version.said, PROFILE)
    ids = {each["name"]: str(each["id"]) for kind in ("customer", "deal") for each in ben("list", kind)}
    phone = {"label": "work", "value": "+49 30 5550199"}
    ben("add", "customer", "-", stdin={"name": "Unsent Yard", "phones": [phone]})
    ben("edit", ids["Blue Harbour"], "-", stdin={"notes": "Unsent: ask for the new crane."})
    ben("edit", ids["Two cranes"], "-", stdin={"stage": "won"})
    ben(
        "delete", next(str(each["id"]) for each in ben("list", "task") if each["subject"] == "Send the offer")
    )


def told(version: Version, name: str) -> dict[str, Any]:
    """What a laptop shows, by the words of its own version."""
    found = {}
    for words in LOOKED_FOR:
        found[words] = [each["id"] for each in version.said(name, "search", words, "--limit", "50")]
    return {
        "records": {kind: version.said(name, "list", kind, "--limit", "500") for kind in KINDS},
        "status": version.said(name, "status"),
        "conflicts": version.said(name, "conflicts"),
        "found": found,
    }


def _fill(say: Callable[..., Any]) -> dict[str, str]:
    """Records of every kind; their ids by their names."""
    ids: dict[str, str] = {}

    def add(kind: str, title: str, **values: Any) -> str:
        ids[title] = str(say("add", kind, "-", stdin=values)["id"])
        return ids[title]

    harbour = add(
        "customer", "Blue Harbour", name="Blue Harbour", type="company", stage="prospect", industry="Cranes",
        phones=[{"label": "work", "value": "+49 30 5550123"}], emails=[{"label": "work", "value": "a@harbour.example"}],
        address={"street": "Quay 1", "city": "Berlin", "country": "DE"}, employees=12, tags=["port"],
        revenue={"minor": 125_000_000, "currency": "EUR"}, notes="Met at the fair.\nWants two cranes.",
    )  # fmt: skip
    add("customer", "Green Mill", name="Green Mill", industry="Flour")
    add("customer", "王芳貿易", name="王芳貿易", language="zh", do_not_contact=True)
    person = add("contact", "Wang Fang", name="王芳", customer=harbour, role="Head of purchasing")
    crane = add(
        "product",
        "Crane",
        name="Crane",
        code="C-1",
        price={"minor": 9_900_000, "currency": "EUR"},
        active=True,
    )
    deal = add(
        "deal", "Two cranes", name="Two cranes", customer=harbour, product=crane, stage="proposal",
        amount={"minor": 19_800_000, "currency": "EUR"}, close_on="2026-12-20", probability=60,
    )  # fmt: skip
    add(
        "task",
        "Call back",
        subject="Call back",
        due="2026-12-01",
        customer=harbour,
        contact=person,
        priority="high",
    )
    add("task", "Send the offer", subject="Send the offer", deal=deal, done=False)
    add("activity", "First call", subject="First call", type="call", customer=harbour)
    add(
        "consent",
        "Consent",
        contact=person,
        customer=harbour,
        purpose="offers",
        status="given",
        basis="consent",
    )
    return ids
