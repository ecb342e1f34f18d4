"""A look at everything that must hold on this device, each with what it found; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

from app.services.session import ACTIVE, Session
from app.store.examination import examine as examine_store
from app.store.store import Store
from sync.client.https import reachable
from sync.protocol import version
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    grave: bool = True  # False: being offline is nothing to mend


def examine(session: Session) -> list[Finding]:
    """Keyring, documents, clock, server, and, while unlocked, the store."""
    held, state = session.papers.held, session.state
    findings = [
        Finding(_("Version"), True, version.APP_VERSION),
        Finding(_("System keyring"), True, _("answers, and holds this device's keys")),
        Finding(
            _("Signed documents"),
            True,
            _("root {root}, policy {policy}").format(root=held.root.version, policy=held.policy.version),
        ),
        _clock(session),
        _server(session),
    ]
    if session.stage != ACTIVE:
        return [*findings, Finding(_("Store"), True, _("locked; not looked at"))]
    problems = session.call(examine_store)
    unsent = session.call(Store.unsent)
    findings.append(Finding(_("Store"), not problems, "; ".join(problems) or _("every page and index holds")))
    waiting = ngettext("{n} change waits to be sent", "{n} changes wait to be sent", unsent).format(n=unsent)
    findings.append(Finding(_("Unsent changes"), True, waiting))
    if state.stage == ACTIVE and session.warning():
        findings.append(Finding(_("Last contact"), False, _("the server has not been reached for long")))
    return findings


def _clock(session: Session) -> Finding:
    anomaly = session.clock_anomaly()
    return Finding(_("Clock"), not anomaly, anomaly or _("agrees with the last contact"))


def _server(session: Session) -> Finding:
    there = reachable(session.card.server_url, session.papers.held.root.tls_ca)
    return Finding(_("Server"), there, _("answers") if there else _("could not be reached"), grave=False)
