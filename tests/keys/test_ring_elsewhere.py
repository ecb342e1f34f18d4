"""The keyrings of Windows and macOS, as far as their backends run here: over a system part of our own making.

That proves what we ask of keyring's backends and how we read their answers. It proves nothing of the systems.
"""

from __future__ import annotations

import subprocess
import sys

# Each runs in a process of its own: importing a backend registers it with keyring for good.
COMMON = """
import sys, types, urllib.request  # the last reads the platform, too, and wants the real one
from app.errors import KeyringUnreachable
sys.platform = PLATFORM

def exercise(ring, again):
    assert ring.get("ring.1") is None
    assert ring.delete("ring.1") is True
    for name, value in (("ring.1", "aa"), ("share.1", "bb"), ("hw", "cc"), ("hw", "dd"), ("ring.1", "ee")):
        ring.set(name, value)
    assert [again.get(name) for name in ("ring.1", "share.1", "hw", "dev")] == ["ee", "bb", "dd", None]
    assert ring.delete("ring.1") and ring.delete("hw")
    assert [again.get(name) for name in ("ring.1", "share.1", "hw")] == [None, "bb", None]
"""

WINDOWS = (
    """
PLATFORM = "win32"
"""
    + COMMON
    + """
kept = {}
class Error(Exception):
    def __init__(self, winerror, funcname): self.winerror, self.funcname = winerror, funcname
class Cred:
    CRED_TYPE_GENERIC, CRED_PERSIST_SESSION, CRED_PERSIST_LOCAL_MACHINE, CRED_PERSIST_ENTERPRISE = 1, 1, 2, 3
    fails = None
    def CredRead(self, Type, TargetName):
        if self.fails: raise Error(self.fails, "CredRead")
        if TargetName not in kept: raise Error(1168, "CredRead")
        return {**kept[TargetName], "CredentialBlob": kept[TargetName]["CredentialBlob"].encode("utf-16")}
    def CredWrite(self, credential, flags):
        assert len(credential["CredentialBlob"]) <= 1280
        kept[credential["TargetName"]] = credential
    def CredDelete(self, Type, TargetName):
        if TargetName not in kept: raise Error(1168, "CredDelete")
        del kept[TargetName]
module = types.ModuleType("win32ctypes.pywin32")
module.win32cred, module.pywintypes = Cred(), types.SimpleNamespace(error=Error)
sys.modules["win32ctypes"] = types.ModuleType("win32ctypes")
sys.modules["win32ctypes.pywin32"] = module
from app.keys.ring import SystemKeyring
ring = SystemKeyring("org", "device")
exercise(ring, SystemKeyring("org", "device"))
assert all(each["Persist"] == Cred.CRED_PERSIST_LOCAL_MACHINE for each in kept.values())
assert all("fieldkeep/org/device" in target for target in kept)
assert ring.delete("share.1") and not kept
module.win32cred.fails = 1783
for use in (lambda: ring.get("dev"), lambda: ring.delete("dev"), lambda: ring.set("dev", "aa")):
    try: use()
    except KeyringUnreachable: continue
    raise SystemExit("an error was taken for an answer")
print("done")
"""
)

MACOS = (
    """
PLATFORM = "darwin"
"""
    + COMMON
    + """
import keyring.backends.macOS as macos
kept = {}
class Api:
    class Error(Exception): pass
    class NotFound(Error): pass
    class KeychainDenied(Error): pass
    denied = False
    def _enter(self):
        if self.denied: raise self.KeychainDenied(-128, "denied")
    def find_generic_password(self, keychain, service, name):
        self._enter()
        if (service, name) not in kept: raise self.NotFound(-25300, "not found")
        return kept[service, name]
    def set_generic_password(self, keychain, service, name, value):
        self._enter()
        assert keychain is None
        kept[service, name] = value
    def delete_generic_password(self, keychain, service, name):
        self._enter()
        if (service, name) not in kept: raise self.NotFound(-25300, "not found")
        del kept[service, name]
macos.api = Api()
from app.keys.ring import SystemKeyring
ring = SystemKeyring("org", "device")
exercise(ring, SystemKeyring("org", "device"))
assert set(kept) == {("fieldkeep/org/device", "share.1")}
macos.api.denied = True
for use in (lambda: ring.get("share.1"), lambda: ring.delete("share.1"), lambda: ring.set("dev", "aa")):
    try: use()
    except KeyringUnreachable: continue
    raise SystemExit("an error was taken for an answer")
print("done")
"""
)


def _run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_windows_keeps_entries_on_this_computer_and_deletes_every_copy() -> None:
    assert _run(WINDOWS) == "done"


def test_macos_tells_denied_from_absent() -> None:
    assert _run(MACOS) == "done"


def test_a_system_without_a_keyring_that_we_trust_is_refused() -> None:
    script = (
        "import sys; sys.platform = 'sunos5'\n"
        "from app.errors import KeyringUnreachable\nfrom app.keys.ring import SystemKeyring\n"
        "try: SystemKeyring('org', 'device').set('dev', 'aa')\n"
        "except KeyringUnreachable as error: print(error.title)"
    )
    assert _run(script) == "Fieldkeep knows no safe keyring on this system."
