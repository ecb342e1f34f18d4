"""A hardened process: no core file, no reading of its memory, no environment that leads astray."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what Linux offers")

# Both processes give up root first: root may read everything, and would prove nothing.
CHILD = """
import ctypes, json, os, resource, sys
from app.keys.harden import harden
hardened = sys.argv[1] == "yes"
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # giving up root has already closed the process; open it as a person's is
held = harden() if hardened else []
told = {"held": held, "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
        "env": sorted(set(os.environ) & {"SSLKEYLOGFILE", "PYTHON_KEYRING_BACKEND", "REQUESTS_CA_BUNDLE",
                                         "KEYRING_PROPERTY_X", "KEYCHAIN_PATH", "SSL_CERT_FILE", "NETRC"}),
        "umask": os.umask(0o077)}
read, write = os.pipe()
child = os.fork()
if child == 0:
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    seen = []
    for name in ("mem", "environ"):
        try:
            open(f"/proc/{os.getppid()}/{name}", "rb").close()
            seen.append(name)
        except OSError:
            pass
    os.write(write, json.dumps(seen).encode() + b"\\n")
    os._exit(0)
os.waitpid(child, 0)
told["seen_by_another"] = json.loads(os.read(read, 100))
print(json.dumps(told))
"""


def _run(hardened: str) -> dict[str, object]:
    env = {
        **os.environ,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "KEYRING_PROPERTY_X": "y",
        "KEYCHAIN_PATH": "/nowhere",
        "SSLKEYLOGFILE": "/nowhere",
        "REQUESTS_CA_BUNDLE": "/nowhere",
        "SSL_CERT_FILE": "/nowhere",
        "NETRC": "/nowhere",
    }
    out = subprocess.run(
        [sys.executable, "-c", CHILD, hardened],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    told: dict[str, object] = json.loads(out)
    return told


def test_another_process_of_the_same_person_sees_nothing() -> None:
    told = _run("yes")
    assert told["held"] == ["private_files", "environment", "no_core_files", "no_reading_of_memory"]
    assert told["seen_by_another"] == []
    assert (told["core"], told["dumpable"], told["umask"]) == (0, 0, 0o077)
    assert told["env"] == []


def test_without_it_everything_lies_open() -> None:
    """Shows that the test above sees what it must: the same process, not hardened."""
    told = _run("no")
    # Some systems let nobody read the memory of a parent anyway; the environment lies open everywhere.
    assert told["seen_by_another"] in (["mem", "environ"], ["environ"])
    assert told["dumpable"] == 1
    assert len(told["env"]) == 7  # type: ignore[arg-type]
