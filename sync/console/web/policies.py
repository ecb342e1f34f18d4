"""Pages of policy: the one in force in words, drafts of the next, what one would change and do, and filing it signed.

The server never has the key. A draft goes out as a file, is signed on the admin's own machine and brought back here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.responses import Response

from sync.console import policy_desk, policy_form, policy_paper, policy_trial, policy_words
from sync.console.policy_trial import Effect
from sync.console.policy_turns import Turn
from sync.console.policy_words import Change
from sync.console.web import answering, asking, policy_editor
from sync.console.web.answering import DAY_MS, go, page
from sync.console.web.asking import Ask
from sync.console.web.policy_editor import WrongField
from sync.protocol import documents, signing, soundness
from sync.protocol.consoles import FleetRow, PolicyDraft
from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError, Refused
from sync.protocol.facts import next_number
from sync.protocol.fields import Care, clean_text
from sync.protocol.ids import ID_BYTES
from sync.protocol.ladder import RUNGS, row_of
from sync.protocol.signals import DAYS, SIGNALS
from sync.protocol.texts import gettext as _
from sync.protocol.travel import CLASSES
from sync.protocol.uses import LABELS, USES

ENDS_SOON_MS: Final = 30 * DAY_MS
NOTE_MAX: Final = 200
FORM_MAX: Final = 256 * 2**10  # a policy of a hundred rows
FIELDS_MAX: Final = 2_000
UPLOAD_MAX: Final = policy_paper.FILE_MAX + 16 * 2**10


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a draft would change and do; or, in `trouble`, why it cannot be signed as it stands."""

    changes: list[Change]
    effects: list[Effect]
    trouble: KnownError | None = None

    @property
    def looser(self) -> int:
        """How many changes loosen something."""
        return sum(each.turn is Turn.LOOSER for each in self.changes)

    @property
    def locks(self) -> int:
        """How many devices would be locked that are not now."""
        return sum(each.locks for each in self.effects)


def shown(ask: Ask) -> Response:
    """The policy in force, who follows it, and the drafts."""
    gate = ask.house.gate
    envelope = signing.open_envelope(gate.policy(), Policy.TYPE)
    policy = documents.parse(envelope.payload, Policy)
    fleet = [row for row in gate.fleet() if not row.aside and row.state != "wiped"]
    drafts = [(each, _changes(each, policy)) for each in gate.drafts()]
    return page(
        ask, "policy.html", here="policy", policy=policy, filed=gate.policy_filed(policy.version),
        soon=policy.expires - ask.now < ENDS_SOON_MS, over=policy.expires <= ask.now, drafts=drafts,
        keys=[each.keyid[:16] for each in envelope.signatures], alarms=gate.alarms(),
        groups=_groups(policy), rows=[_row(rule) for rule in policy.rules], **_followers(fleet, policy),
    )  # fmt: skip


def _groups(policy: Policy) -> list[tuple[str, list[str]]]:
    """The sentences of what is settled, under their heads."""
    said = policy_words.settled(policy)
    heads = {"offline.": _("Without contact"), "use.": _("What may leave the program")}
    found = [
        (head, [text for name, text in said.items() if name.startswith(start)])
        for start, head in heads.items()
    ]
    rest = [text for name, text in said.items() if not name.startswith(tuple(heads))]
    return [found[0], (_("Opening and closing"), rest), found[1]]


def _row(rule: dict[str, Any]) -> tuple[str, str, str, str]:
    """A row of the table: signal, when, what happens, what where it is not told."""
    row = row_of(rule)
    label = _(SIGNALS[row.signal].label) if row.signal in SIGNALS else row.signal or "?"
    unknown = _(policy_words.RUNG_WORDS[row.on_unknown])
    if not row.known:
        return label, _("a row that this version does not know"), unknown, unknown
    return label, policy_words.condition_in_words(row.condition), policy_words.rung_in_words(row), unknown


def _followers(fleet: list[FleetRow], policy: Policy) -> dict[str, Any]:
    return {
        "follow": sum(row.policy >= policy.version for row in fleet),
        "behind": sum(row.behind for row in fleet),
        "unsaid": sum(not row.policy for row in fleet),
        "living": len(fleet),
    }


def _changes(draft: PolicyDraft, in_force: Policy) -> list[Change]:
    return policy_words.changes(in_force, _wanted(draft, in_force))


# -- a draft


def begin(ask: Ask) -> Response:
    """A new draft, which says what is in force."""
    asking.refuse_looker(ask)
    policy = policy_desk.in_force(ask.house.office)
    draft = PolicyDraft(
        id=secrets.token_hex(ID_BYTES), body=policy_form.to_json(policy).encode(), base=policy.version,
        made=ask.now, author=ask.me.person, changed=ask.now, editor=ask.me.person,
    )  # fmt: skip
    ask.note("begins a policy draft", draft.id)
    ask.house.gate.put_draft(draft)
    return go(ask, f"/policy/drafts/{draft.id}")


def draft(ask: Ask) -> Response:
    """One draft: its form, what it changes, what would come of it, and how it is signed."""
    found = _draft(ask)
    wanted = _wanted(found, policy_desk.in_force(ask.house.office))
    return _page(ask, found, policy_editor.fields_of(wanted), wanted)


def look(ask: Ask) -> Response:
    """What would come of what stands in the form now; nothing is kept."""
    found = _draft(ask)
    in_force = policy_desk.in_force(ask.house.office)
    try:
        outlook = _outlook(ask, in_force, policy_editor.policy_of(ask.form, _wanted(found, in_force)))
    except WrongField as error:
        outlook = Outlook([], [], error)
    return page(ask, "_outlook.html", **_about(outlook, in_force))


def save(ask: Ask) -> Response:
    """Keep what stands in the form; a row may come or go with it."""
    asking.refuse_looker(ask)
    found = _draft(ask)
    before = _wanted(found, policy_desk.in_force(ask.house.office))
    try:
        if ask.form.get("rev", "") != str(found.rev):
            raise KnownError(
                _("{name} has changed this draft meanwhile.").format(name=found.editor_name or "–"),
                _(
                    "Nothing of yours was kept. Open the draft again in another page, and bring over what you wrote."
                ),
            )
        wanted = policy_editor.policy_of(ask.form, before)
        wanted, at = _with_row(ask, wanted)
        note = clean_text(ask.form.get("note", ""))[:NOTE_MAX]
        kept = msgspec.structs.replace(
            found, body=policy_form.to_json(wanted).encode(), note=note, rev=found.rev + 1, changed=ask.now,
            editor=ask.me.person,
        )  # fmt: skip
        ask.note("changes a policy draft", found.id)
        if not ask.house.gate.put_draft(kept):
            raise KnownError(_("Somebody has changed this draft meanwhile."), _("Open it again."))
    except KnownError as error:
        return _page(ask, found, ask.form, before, trouble=error, status=400)
    return go(ask, f"/policy/drafts/{found.id}{at}")


def _with_row(ask: Ask, policy: Policy) -> tuple[Policy, str]:
    """The policy with the row that the pressed button adds or takes away, and where on the page to go on."""
    rules, gone = policy.rules, ask.form.get("remove", "")
    if gone.isascii() and gone.isdigit() and len(gone) < 4:
        rest = [rule for n, rule in enumerate(rules) if n != int(gone)]
        return msgspec.structs.replace(policy, rules=rest), "#rows"
    if ask.form.get("add") != "row":
        return policy, ""
    more = [*rules, policy_editor.blank(ask.form.get("signal", ""))]
    return msgspec.structs.replace(policy, rules=more), f"#r{len(rules)}"


def drop(ask: Ask) -> Response:
    """Throw a draft away."""
    asking.refuse_looker(ask)
    found = _draft(ask)
    ask.note("throws a policy draft away", found.id)
    ask.house.gate.drop_draft(found.id)
    return go(ask, "/policy")


# -- signing


def file(ask: Ask) -> Response:
    """The draft as the file that is signed on the admin's own machine."""
    asking.refuse_looker(ask)
    found = _draft(ask)
    office = ask.house.office
    wanted = _wanted(found, policy_desk.in_force(office))
    policy, data = policy_paper.drawn_up(office, wanted, ask.now)
    ask.note("takes a policy draft to be signed", found.id)
    return answering.file(ask, f"policy-{policy.version}.json", data.decode(), "application/json")


def publish(ask: Ask) -> Response:
    """File the signed policy: what the draft says, signed by the policy key, with its locks counted."""
    asking.refuse_looker(ask)
    found = _draft(ask)
    office = ask.house.office
    in_force = policy_desk.in_force(office)
    wanted = _wanted(found, in_force)
    try:
        paper = _brought(ask, in_force, wanted)
        effects = policy_trial.tried(in_force, paper.after, office.devices(), ask.now)
        said = ask.form.get("locks", "").strip()
        meant = int(said) if said.isascii() and said.isdigit() and len(said) < 7 else None
        step = _("Nothing was filed. Where it is meant, type the number: {n}")
        policy_trial.refuse_unmeant(effects, meant, step)
        ask.note("files a policy", str(paper.after.version))
        ask.house.gate.file_policy(paper.paper.envelope.to_bytes(), ask.actor)
    except (KnownError, Refused) as error:
        return _page(ask, found, policy_editor.fields_of(wanted), wanted, trouble=error, status=400)
    ask.house.gate.drop_draft(found.id)
    return go(ask, "/policy")


def _brought(ask: Ask, in_force: Policy, wanted: Policy) -> policy_paper.Read:
    """The signed file, which says what the draft says. Raises KnownError, Refused."""
    again = _("Take the file anew, and sign that.")
    if not ask.file:
        raise KnownError(_("No file was chosen."), _("Choose the signed one: policy-…-signed.json"))
    paper = policy_paper.parsed(ask.file, ask.now)
    if paper.missing:
        raise KnownError(
            _("This file is not signed, or not by enough keys of the organisation."),
            _("Sign it on your machine: fieldkeep-admin policy sign FILE --keys DIR"),
        )
    if paper.before.version != in_force.version:
        raise KnownError(_("Another policy has taken force since this file was made."), again)
    if policy_form.parts_of(paper.after) != policy_form.parts_of(wanted):
        raise KnownError(_("The signed file says something else than this draft does now."), again)
    return paper


# -- what these share


def _draft(ask: Ask) -> PolicyDraft:
    found = ask.house.gate.policy_draft(ask.path("draft"))
    if found is None:
        raise asking.NotHere(
            _("There is no such draft."), _("It was filed or thrown away. See the policy in force.")
        )
    return found


def _wanted(found: PolicyDraft, in_force: Policy) -> Policy:
    return policy_form.read(found.body, in_force, as_json=True)


def _outlook(ask: Ask, in_force: Policy, wanted: Policy) -> Outlook:
    try:
        soundness.refuse_unsound(wanted)
    except Refused as error:
        return Outlook(policy_words.changes(in_force, wanted), [], error)
    effects = policy_trial.tried(in_force, wanted, ask.house.office.devices(), ask.now)
    return Outlook(policy_paper.by_turn(policy_words.changes(in_force, wanted)), effects)


def _about(outlook: Outlook, in_force: Policy) -> dict[str, Any]:
    return {
        "outlook": outlook,
        "in_force": in_force,
        "groups": policy_trial.groups(outlook.effects),
        "silent": policy_trial.silent(outlook.effects),
        "Turn": Turn,
        "why": policy_trial.why,
    }


def _page(
    ask: Ask,
    found: PolicyDraft,
    fields: dict[str, str],
    wanted: Policy,
    *,
    trouble: KnownError | None = None,
    status: int = 200,
) -> Response:
    in_force = policy_desk.in_force(ask.house.office)
    return page(
        ask, "draft.html", status=status, here="policy", draft=found, v=fields, rows=policy_editor.rows_of(fields),
        note=fields.get("note", found.note), trouble=trouble, alarms=ask.house.gate.alarms(),
        next_number=_next(ask, in_force),
        wrong=trouble.field if isinstance(trouble, WrongField) else "", signals=SIGNALS, uses=USES, use_labels=LABELS,
        days=DAYS, day_labels=policy_editor.DAYS_LABELS, actions=policy_editor.actions,
        cares=[(each, _(policy_words.CARE_WORDS[Care[each.upper()]])) for each in CLASSES],
        words={name: policy_words.RUNG_WORDS[rung] for name, rung in RUNGS.items()},
        **_about(_outlook(ask, in_force, wanted), in_force),
    )  # fmt: skip


def _next(ask: Ask, in_force: Policy) -> int:
    return next_number(in_force.version, (each.posture for each in ask.house.office.devices()))
