"""What the next root would change, in words: whom the organisation trusts for what, before and after."""

from __future__ import annotations

import datetime as dt

from sync.protocol import documents, harmless, signing
from sync.protocol.documents import Admin, Credential, Role, Root, Site, WipeRule
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_MINUTE_MS = 60_000


def changes(before: Root, after: Root) -> list[str]:
    """Every difference that counts, a line for each."""
    lines = [_("The next root, number {n}.").format(n=after.version), *_admins(before, after)]
    for name, was, now in (
        (_("root"), before.root, after.root),
        (_("policy"), before.policy, after.policy),
        (_("server"), before.lease, after.lease),
    ):
        lines += _role(name, was, now)
    lines += _wipe(before.wipe, after.wipe)
    if before.recovery != after.recovery:
        lines.append(
            _("Unsent work is sealed to another recovery key: {key}").format(key=_key(after.recovery))
        )
    for was_site, now_site, text in (
        (before.console, after.console, _("Passkeys sign on the console at: {places}")),
        (
            before.signer,
            after.signer,
            _("Passkeys and security keys sign on an admin's own machine at: {places}"),
        ),
    ):
        if was_site != now_site:
            lines.append(text.format(places=_places(now_site)))
    if before.tls_ca != after.tls_ca:
        lines.append(_("Devices believe other certificates of the server."))
    if before.server_urls != after.server_urls:
        lines.append(
            _("Addresses of the server: {places}").format(places=harmless.line(", ".join(after.server_urls)))
        )
    if before.org_name != after.org_name:
        lines.append(_("The organisation is named: {name}").format(name=harmless.line(after.org_name)))
    lines.append(_("It holds until {end}.").format(end=_day(after.expires)))
    return lines


def words_of(root: Root) -> list[str]:
    """A root as it stands."""
    lines = [
        _("Root {n} of {org}, until {end}.").format(
            n=root.version, org=harmless.line(root.org_name), end=_day(root.expires)
        )
    ]
    for name, role in ((_("root"), root.root), (_("policy"), root.policy), (_("server"), root.lease)):
        keys = ", ".join(signing.keyid(key.spki)[:16] for key in role.keys)
        lines.append(
            _("Keys of {role}, of which {n} sign: {keys}").format(role=name, n=role.threshold, keys=keys)
        )
    for admin in root.admins:
        lines.append(_("Admin {id}:").format(id=harmless.line(admin.admin_id)))
        lines += [f"  {credential_words(each)}" for each in admin.credentials]
    lines += _rule(root.wipe)
    certificates = ", ".join(documents.digest(each.encode())[:16] for each in root.tls_ca)
    return [
        *lines,
        _("Unsent work is sealed to the recovery key {key}.").format(key=_key(root.recovery)),
        _("Passkeys sign on the console at: {places}").format(places=_places(root.console)),
        _("Passkeys and security keys sign on an admin's own machine at: {places}").format(
            places=_places(root.signer)
        ),
        _("Addresses of the server: {places}").format(places=harmless.line(", ".join(root.server_urls))),
        _("Devices believe these certificates of the server: {keys}").format(keys=certificates),
    ]


def credential_words(credential: Credential) -> str:
    """A key of an admin: of what sort, its label, and the digits by which it is named."""
    sort = _("key file") if credential.alg == signing.ED25519 else _("passkey or security key")
    if credential.backup_eligible:
        sort = _("passkey that may be copied")
    label = harmless.line(credential.label) or "–"
    return f"{label}: {sort}, {signing.keyid(credential.spki)[:16]}"


def _admins(before: Root, after: Root) -> list[str]:
    was, now = _by_id(before), _by_id(after)
    lines = []
    for id_ in sorted({*was, *now}):
        old, new = _credentials(was.get(id_)), _credentials(now.get(id_))
        if id_ not in was:
            lines.append(_("NEW ADMIN {id}, who may sign wipes:").format(id=harmless.line(id_)))
        elif id_ not in now:
            lines.append(_("Admin {id} may sign nothing any more:").format(id=harmless.line(id_)))
        elif old != new:
            lines.append(_("Admin {id}:").format(id=harmless.line(id_)))
        lines += [f"  + {credential_words(new[spki])}" for spki in new if new[spki] != old.get(spki)]
        lines += [f"  − {credential_words(old[spki])}" for spki in old if old[spki] != new.get(spki)]
    return lines


def _by_id(root: Root) -> dict[str, Admin]:
    return {admin.admin_id: admin for admin in root.admins}


def _credentials(admin: Admin | None) -> dict[bytes, Credential]:
    return {each.spki: each for each in admin.credentials} if admin else {}


def _role(name: str, was: Role, now: Role) -> list[str]:
    old, new = ({key.spki for key in role.keys} for role in (was, now))
    lines = [_("New key of {role}: {key}").format(role=name, key=_key(each)) for each in sorted(new - old)]
    lines += [
        _("No key of {role} any more: {key}").format(role=name, key=_key(each)) for each in sorted(old - new)
    ]
    if was.threshold != now.threshold:
        text = ngettext(
            "{n} key of {role} signs from now on.", "{n} keys of {role} sign from now on.", now.threshold
        )
        lines.append(text.format(n=now.threshold, role=name))
    return lines


def _wipe(was: WipeRule, now: WipeRule) -> list[str]:
    return [] if was == now else [_("What a wipe needs from now on:"), *_rule(now)]


def _rule(rule: WipeRule) -> list[str]:
    one = ngettext(
        "A wipe of one device needs {n} person.", "A wipe of one device needs {n} people.", rule.threshold
    )
    many = ngettext(
        "A wipe of more needs {n} person.", "A wipe of more needs {n} people.", rule.threshold_many
    )
    most = ngettext(
        "An order names {n} device at most.", "An order names {n} devices at most.", rule.max_devices
    )
    minutes = -(-rule.delay_ms // _MINUTE_MS)
    delay = ngettext("A wipe waits for {n} minute.", "A wipe waits for {n} minutes.", minutes)
    lines = [
        one.format(n=rule.threshold),
        many.format(n=rule.threshold_many),
        most.format(n=rule.max_devices),
        delay.format(n=minutes) if minutes else _("A wipe waits for nothing."),
    ]
    if rule.witnesses:
        text = ngettext("A wipe needs {n} witness.", "A wipe needs {n} witnesses.", rule.witnesses)
        lines.append(text.format(n=rule.witnesses))
    return [f"  {line}" for line in lines]


def _key(public: bytes) -> str:
    return documents.digest(public)[:16]


def _places(site: Site | None) -> str:
    return harmless.line(", ".join(site.origins) + f" ({site.rp_id})") if site is not None else _("nowhere")


def _day(at: int) -> str:
    try:
        return dt.datetime.fromtimestamp(at / 1000, dt.UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(at)
