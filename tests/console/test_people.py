"""What IT is told of an account: what a change does, and slips of the pen that would leave somebody without records."""

from __future__ import annotations

from tests.console.test_admin import org
from tests.server.running import Org

__all__ = ["org"]


def test_it_is_said_what_another_class_and_role_do(org: Org) -> None:
    """And nothing where nothing is changed."""
    add = ("person", "add", "ana@example.com", "--role")
    first = org.admin(*add, "rep", "--team", "Sales/East", "--care", "internal")
    assert first.stderr.splitlines()[0] == "ana@example.com sees fields up to the class internal."
    assert "anew" not in first.stderr
    assert org.admin(*add, "rep", "--team", "Sales/East").stderr == ""
    more = org.admin(*add, "rep", "--team", "Sales/East", "--care", "confidential")
    assert more.stderr.splitlines() == [
        "Before: role rep, team Sales/East, class internal.",
        "ana@example.com sees fields up to the class confidential.",
        "Their devices go through everything anew at the next contact. See: fieldkeep-admin devices",
    ]
    assert "anew" in org.admin(*add, "rep", "--team", "Sales/East", "--own").stderr


def test_office_in_a_team_of_which_only_those_below_have_records_is_told_so(org: Org) -> None:
    add = ("person", "add")
    org.admin(*add, "ana@example.com", "--role", "rep", "--team", "Sales/East")
    alone = org.admin(*add, "ofi@example.com", "--role", "office", "--team", "Sales")
    assert alone.stderr == (
        "In Sales itself is nobody who has records, only in teams below it, which office does not see. "
        "A manager does: --role manager\n"
    )
    assert org.admin(*add, "mia@example.com", "--role", "manager", "--team", "Sales").stderr == ""
    assert org.admin(*add, "ola@example.com", "--role", "office", "--team", "Sales").stderr == ""


def test_a_territory_in_which_no_customer_lies_is_warned_of(org: Org) -> None:
    org.admin("person", "add", "ana@example.com", "--role", "rep", "--team", "Sales")
    told = org.admin("territory", "grant", "ana@example.com", "Hafn").stderr.splitlines()
    assert told[-1].startswith("No customer lies in Hafn: by it ana@example.com sees nothing.")
    assert told[-1].endswith("fieldkeep-admin territory revoke EMAIL TERRITORY")
    added = org.admin(
        "person", "add", "bo@example.com", "--role", "rep", "--team", "Sales", "--territory", "Nrth"
    )
    assert "No customer lies in Nrth" in added.stderr
