"""A laptop is stolen, and IT wipes it from the browser: a passkey signs, the real laptop obeys, the page says so."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.console.visitor import SoftKey, Visitor, over_tls
from tests.road import BEN, IT, Town


def test_a_passkey_wipes_a_real_laptop_which_takes_in_the_root_that_names_it(town: Town) -> None:
    assert town.server.stop() == 0
    town.server.start(console=True)
    ben = town.laptop(BEN)
    unsent = ben.add("customer", name="Typed on the train")
    origin = town.server.console
    port = urlsplit(origin).port
    assert port
    visitor = Visitor(over_tls(port), origin=origin)
    visitor.accept(town.admin("console", "invite", IT)["url"])
    # A passkey of IT's own, which the organisation's root key enters in the root.
    key = SoftKey()
    wipes = f"https://wipe.localhost:{port}"
    sent = visitor.post("/account/order-key", {"label": "Key in hand"})
    page = visitor.get(sent.to)
    assert visitor.post(sent.to, {"answer": key.create(page.options, wipes)}).status == 303
    (registered,) = town.admin("console", "list")["passkeys"]
    assert not registered["root"]
    assert town.admin("console", "grant", IT, "--key", registered["sha256"][:12])["root"] == 2
    # One touch for this one laptop.
    device = town.device(ben)
    path = f"/devices/{device['enrolment']}"
    visitor.get(path)
    sent = visitor.post(f"{path}/wipe", {"name": ben.name, "reason": "stolen"})
    page = visitor.get(sent.to)
    assert ben.name in page.plain
    assert visitor.post(sent.to, {"answer": key.get(page.options, wipes)}).status == 303
    (order,) = town.admin("orders")
    assert (order["op"], order["state"]) == ("wipe", "filed")
    # The laptop has only the root of before: it takes in the next one, then the order, in one contact.
    done = ben.ask("sync")
    assert done.code == 4, done.err
    assert ben.state() == "wiped"
    assert not ben.entries()
    text = visitor.get(f"{path}/progress").text
    assert text.count('class="done"') == 6
    assert "Hardly any" in visitor.get(f"{path}/report").plain
    # What it had not sent went out with the same contact.
    heir = town.laptop(BEN)
    assert town.admin("recover", ben.id, "--to", heir.id)["handed_over"] == 0
    heir.sync()
    assert heir.show(unsent)["name"] == "Typed on the train"
    # And a key that was taken back signs nothing any more.
    assert town.admin("console", "revoke", IT)["root"] == 3
    assert visitor.get("/devices").to == "/sign-in"
    assert not town.admin("console", "list")["passkeys"]
