"""What the desk asks of the server, whether it runs in this process or behind the admin socket."""

from __future__ import annotations

from typing import Protocol

from sync.protocol.consoles import AccountView, ConsoleSite, Line, OrderKey
from sync.protocol.desk import (
    Backed,
    DeviceView,
    Draft,
    HoldsView,
    Left,
    LogProof,
    LostShare,
    OrderView,
    Parcel,
    PersonView,
    RefusedView,
    SafetyView,
    TeamMoved,
    TerritoryMoved,
    TerritoryView,
    Work,
)


class Office(Protocol):
    """The server's side of the desk. Every method raises KnownError when it cannot be done."""

    def add_person(self, email: str, role: str, team: str, territory: str, granted: str = "") -> PersonView:
        """Give somebody an account, or change it; what is "" of territory and class stays.

        `territory` is a line for each, an empty line for own records alone, or WHOLE_TEAM.
        """

    def person_leaves(self, email: str, heir: str) -> Left:
        """Lock all devices of a person, close the account of the console, and give the records to somebody else."""

    def move_team(self, team: str, to: str) -> TeamMoved:
        """Move a team with all below it, or merge it into another."""

    def grant_territory(self, email: str, territory: str) -> PersonView:
        """Let a person see this territory of the team."""

    def revoke_territory(self, email: str, territory: str) -> PersonView:
        """Take a territory from a person."""

    def move_territory(self, territory: str, to: str) -> TerritoryMoved:
        """Give a territory another name, or merge it into another."""

    def territories(self) -> list[TerritoryView]:
        """Every territory that people were granted or that customers lie in."""

    def holds(self, enrolment: str, kind: str, ids: bool) -> HoldsView:
        """What a device holds, of one kind unless it is ""; with `ids`, which records."""

    def people(self) -> list[PersonView]:
        """Everyone with an account."""

    def enrol_code(self, email: str) -> str:
        """A one-use code for this person's next device."""

    def devices(self) -> list[DeviceView]:
        """Every enrolment ever."""

    def orders(self) -> list[OrderView]:
        """Every order, once per device."""

    def root(self) -> bytes:
        """The root envelope in force."""

    def policy(self) -> bytes:
        """The policy envelope in force."""

    def file_policy(self, envelope: bytes) -> int:
        """File a signed policy; its number."""

    def log_proof(self, since: int) -> LogProof:
        """A checkpoint of the audit table, with the proof that it only grew since that size."""

    def audit(self, most: int, word: str) -> list[Line]:
        """The newest lines of the audit table, those with this word alone unless it is ""."""

    def draft(self) -> Draft:
        """A number for an order that is about to be signed."""

    def sign_here(self, op: str, enrolment: str, reason: str) -> list[OrderView]:
        """Have a lock or unlock signed with the server's own key, and file it."""

    def lost_share(self, enrolment: str) -> LostShare | None:
        """The sealed copy of a share that a restored server has lost, once its device has handed that in."""

    def give_share(self, enrolment: str, epoch: int, share: bytes) -> None:
        """Have the server hold that share again."""

    def file(self, envelope: bytes) -> list[OrderView]:
        """File a signed order."""

    def put_root(self, envelope: bytes, credential: bytes, admin_id: str) -> None:
        """Take in the next root, which names a passkey for orders as one of this admin's."""

    def console_invite(self, email: str) -> str:
        """An address at which this person sets up an account of the console."""

    def console_accounts(self) -> list[AccountView]:
        """Who may sign in at the console, and by what."""

    def console_keys(self) -> list[OrderKey]:
        """Passkeys for orders that were registered at the console."""

    def console_revoke(self, email: str) -> None:
        """Close somebody's account of the console."""

    def console_site(self) -> ConsoleSite:
        """Where the console is."""

    def work(self, source: str, target: str) -> Work:
        """What a device has handed in of its unsent work, for another device (both by enrolment).

        With "" for the first, who gets what comes from files alone.
        """

    def sealed(self, source: str, sha256: str, at: int) -> bytes:
        """A piece of a sealed outbox that a device has handed in, from `at` on; b"" behind its end."""

    def answered(self, prints: list[bytes]) -> list[bool | None]:
        """Of ops, by their prints: whether each was taken in; None where the server has not answered it."""

    def hand_over(self, source: str, target: str, parcels: list[Parcel]) -> int:
        """File parcels of recovered work, of files where `source` is ""; how many ops of them were not filed before."""

    def refused(self, enrolment: str, *, sealed: bool) -> list[RefusedView]:
        """Changes of a device, of all of them for "", that were not taken; `sealed` has what they say come along."""

    def backed_up(self, backed: Backed) -> bool:
        """Note a verified backup, which devices are told of; False for one of another history."""

    def safety(self) -> SafetyView:
        """How much of the history a verified backup holds."""
