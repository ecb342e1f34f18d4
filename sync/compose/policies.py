"""The verbs `fieldkeep-admin policy`: show the one in force, try another on the fleet, sign and publish it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from sync.compose import paper_verbs, telling
from sync.console import paper as papers
from sync.console import passphrase, policy_desk, policy_form, policy_paper, policy_trial, policy_words
from sync.console.policy_trial import Effect
from sync.console.ports import Office
from sync.protocol import soundness
from sync.protocol.desk import DeviceView
from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError
from sync.protocol.ladder import RUNGS, WORDS, Rung
from sync.protocol.signals import SILENCE
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext
from sync.server.service import system_now

_JSON: Final = ".json"


def show(asked: argparse.Namespace, office: Office) -> int:
    """Say what is in force: in words, or as a file to edit."""
    policy = policy_desk.in_force(office)
    if asked.json:
        telling.document(
            {
                "version": policy.version,
                "issued": telling.when(policy.issued),
                "expires": telling.when(policy.expires),
                "policy": policy_form.parts_of(policy),
                "words": policy_words.in_words(policy),
            }
        )
    elif asked.toml:
        print(policy_form.to_toml(policy), end="")
    else:
        said = _("Policy {n}, signed {issued}, to be renewed by {expires}.")
        issued, expires = telling.when(policy.issued) or "–", telling.when(policy.expires) or "–"
        telling.say(said.format(n=policy.version, issued=issued[:10], expires=expires[:10]))
        for line in policy_words.in_words(policy):
            telling.say(f"  {line}")
    return 0


def attempt(asked: argparse.Namespace, office: Office) -> int:
    """Say what a file would change, and what would become of the fleet; nothing is signed."""
    before, wanted = _both(asked.file, office)
    effects = policy_trial.tried(before, wanted, office.devices(), system_now())
    if asked.json:
        telling.document(
            {
                "changes": _changes(before, wanted),
                "devices": [_effect(each) for each in effects],
                "pins": policy_trial.of_pins(before, wanted),
            }
        )
    else:
        _tell(before, wanted, effects)
    return 0


def publish(asked: argparse.Namespace, office: Office) -> int:
    """Sign a file with the policy key, and have the server hand it out."""
    if not asked.keys:
        raise KnownError(
            _("A policy is signed with the policy key; the server has none."),
            _("Name the folder that holds it: --keys DIR"),
        )
    before, wanted = _both(asked.file, office)
    if not policy_words.changes(before, wanted):
        raise KnownError(
            _("The file says what is in force already; nothing was signed."),
            _("To sign the same for another year: fieldkeep-server renew"),
        )
    effects = policy_trial.tried(before, wanted, office.devices(), system_now())
    if not asked.json:
        _tell(before, wanted, effects)
    policy_trial.refuse_unmeant(effects, asked.locks)
    number = policy_desk.publish(office, asked.keys, passphrase.known, wanted, system_now())
    if asked.json:
        document = {"version": number, "changes": _changes(before, wanted)}
        telling.document({**document, "devices": [_effect(each) for each in effects]})
    else:
        said = _("Policy {n} is signed and filed. Devices take it at their next contact.")
        telling.say(said.format(n=number))
    return 0


def sign(asked: argparse.Namespace) -> int:
    """Show a policy from its bytes, ask, and sign it; it needs no server."""
    found = policy_paper.read(asked.file, system_now())
    for line in policy_paper.shown(found):
        telling.aside(line)
    if not asked.keys:
        raise KnownError(
            _("A policy is signed with the policy key."),
            _("Name the folder that holds it: --keys DIR"),
        )
    paper_verbs.agree(f"policy {found.after.version}")
    paper = policy_paper.signed(found, asked.keys, passphrase.known)
    path = policy_paper.signed_name(asked.file)
    papers.put(path, paper.to_bytes())
    missing = policy_paper.parsed(paper.to_bytes(), system_now()).missing
    if asked.json:
        telling.document(
            {
                "file": str(path),
                "version": found.after.version,
                "sha256": policy_paper.digest_of(found),
                "missing": missing,
            }
        )
        return 0
    telling.say(_("Signed: {file}").format(file=path))
    if missing:
        text = ngettext(
            "{n} more key has to sign it: hand the file to the next one.",
            "{n} more keys have to sign it: hand the file to the next one.",
            missing,
        )
        telling.say(text.format(n=missing))
    else:
        telling.say(_("Bring it back to the draft's page; it rules once it is filed there."))
    return 0


def beside(device: DeviceView) -> str:
    """What stands behind a device's state in the list: that its policy wiped it, or what policy makes of it."""
    if device.wiped_by == SILENCE:
        return _(" (silence)")
    rung = RUNGS.get(str(device.posture.get("rung")), Rung.ALLOW)
    if device.state == "wiped" or rung is Rung.ALLOW:
        return ""
    return _(", policy: {rung}").format(rung=_(policy_words.RUNG_WORDS[rung]))


def _both(path: Path, office: Office) -> tuple[Policy, Policy]:
    """The policy in force and the one in the file, which could be signed as it stands. Raises KnownError."""
    try:
        with path.open("rb") as file:
            data = file.read(policy_form.FILE_MAX + 1)
    except OSError as error:
        raise KnownError(
            _("The file “{name}” cannot be read.").format(name=path.name), error.strerror or ""
        ) from None
    before = policy_desk.in_force(office)
    wanted = policy_form.read(data, before, as_json=path.suffix.lower() == _JSON)
    soundness.refuse_unsound(wanted)
    return before, wanted


def _tell(before: Policy, wanted: Policy, effects: list[Effect]) -> None:
    changes = policy_words.changes(before, wanted)
    for change in changes:
        telling.say(change.in_words())
    if not changes:
        telling.say(_("The file says what is in force."))
    for line in (*policy_trial.in_words(effects), *policy_trial.of_pins(before, wanted)):
        telling.say(line)
    rows = [
        [each.device.name, each.device.person, policy_trial.why(each.before), policy_trial.why(each.after)]
        for each in effects
        if each.before != each.after
    ]
    if rows:
        telling.table([_("device"), _("person"), _("now"), _("then")], rows, "")


def _changes(before: Policy, wanted: Policy) -> list[dict[str, str]]:
    return [{"before": each.before, "after": each.after} for each in policy_words.changes(before, wanted)]


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "device": effect.device.name,
        "id": effect.device.id,
        "person": effect.device.person,
        "now": WORDS[effect.before.rung],
        "then": WORDS[effect.after.rung],
        "because": [reason.signal for reason in effect.after.reasons],
        "unknown": effect.unknown,
        "locks": effect.locks,
    }


OFFLINE: Final = {"policy sign": sign}
VERBS: Final = {"policy show": show, "policy try": attempt, "policy publish": publish}
