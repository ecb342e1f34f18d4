"""A person whose role changes nothing: told why names are hidden, offered nothing to make or change."""

from __future__ import annotations

import pytest

from app.commands import BY_ID
from app.services import records as asking
from app.services.opening import open_session
from app.store import records
from app.store.bulk import Setting
from app.store.store import Store
from app.viewmodels import narrow, palette
from app.viewmodels.acting import Many
from app.viewmodels.desk import Desk
from app.viewmodels.offers import Act, offers
from app.viewmodels.opened import Uses
from sync.protocol.errors import FieldProblem
from sync.protocol.kinds import KINDS
from tests.ui import sample
from tests.ui.organisation import PERSON, Organisation
from tests.viewmodels.conftest import Held

CHANGING = ("new", "edit", "delete", "import")


@pytest.mark.parametrize("role", ["rep", "privacy"])
def test_what_is_offered_follows_the_role(org: Organisation, held: Held, role: str) -> None:
    email = PERSON
    if role == "privacy":
        email = "privacy@demo.example"
        org.admin("person", "add", email, "--role", role, "--team", "Company")
    profile = org.laptop(f"laptop-of-{role}", email)
    with open_session(profile) as session:
        session.call(sample.fill)
        desk = Desk(session, held)
        desk.start()
        held.turn()
        desk.choose(0)
        held.turn()
        may = role == "rep"
        assert desk.may_change is may
        assert desk.hides_names is not may
        now = palette.now(desk, 0)
        assert [BY_ID[each].possible(now) for each in CHANGING] == [may] * len(CHANGING)
        making = [each for each in offers("new customer", now, [], Uses()) if each.act is Act.MAKE]
        assert bool(making) is may

        shown = desk.detail
        assert shown is not None
        desk.delete()
        held.turn()
        assert session.call(records.get, shown.record.id).deleted is may
        desk.new(KINDS["customer"])
        assert (desk.editor is not None and desk.editor.record is None) is may
        if not may:
            assert desk.aside is not None
            assert "not change" in desk.aside.text
        act_on_all(desk, held, may=may)
        desk.close()


def act_on_all(desk: Desk, held: Held, *, may: bool) -> None:
    """Set a field of all customers and take it back, as if the bar that offers it had been there."""
    customers = desk.sections.picked
    customers.all()
    before = desk.session.call(Store.unsent)
    desk.acting.do(customers.selection(), Setting("territory", "Set for all"))
    assert desk.acting.running is may
    held.turn()
    assert (desk.session.call(Store.unsent) > before) is may
    done = desk.drafts.last()
    assert isinstance(done, Many) is may
    desk.acting.undo(done if isinstance(done, Many) else Many(KINDS["customer"], ((b"", 1, 1),), 1))
    assert desk.acting.running is may
    held.turn()
    assert desk.aside is not None
    assert ("not change" in desk.aside.text) is not may


def test_nobody_is_asked_for_what_is_hidden(org: Organisation, held: Held) -> None:
    """Neither a list by it nor a value for many: masks would be taken for values."""
    email = "low@demo.example"
    org.admin("person", "add", email, "--role", "rep", "--team", "Company/Low", "--care", "internal")
    with open_session(org.laptop("laptop-of-low", email)) as session:
        desk = Desk(session, held)
        customer = KINDS["customer"]
        hidden = desk.hidden(customer)
        assert {"name", "phones", "revenue", "tax_number"} <= hidden
        assert "industry" not in hidden
        assert desk.hides_names
        offered = {field.name for field in narrow.fields_of(customer, hidden)}
        assert offered == set(customer.by_name) - hidden
        with pytest.raises(FieldProblem):
            asking.refuse_asking(session, customer, ["industry", "revenue"])
        asking.refuse_asking(session, customer, ["industry"])
        desk.close()
