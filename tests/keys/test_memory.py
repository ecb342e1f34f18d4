"""Once wiped, the data key is nowhere in the memory of the process: not as bytes, not as hex."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.keys.conftest import Laptop
from tests.keys.vaults import made

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory by /proc")

MASK = 0x5A

# The key to look for stays masked, and memory is looked at through the same mask, so that the search leaves no copies.
CHILD = """
import json, sys
from pathlib import Path
from app.keys import vault
from app.keys.ring import SystemKeyring
from app.paths import Profile

MASK = 0x5A
folder, org, device, masked = sys.stdin.read().split()
raw = bytearray.fromhex(masked)
digits = bytearray(each ^ MASK for byte in raw for each in b"%02x" % (byte ^ MASK))
table = bytes(byte ^ MASK for byte in range(256))

def copies():
    found = [0, 0]
    regions = [line.split()[:2] for line in Path("/proc/self/maps").read_text().splitlines()]
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for span, rights in regions:
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in span.split("-"))
            try:
                memory.seek(start)
                page = bytearray(memory.read(end - start))
            except OSError:
                continue
            seen = page.translate(table)
            page[:] = bytes(len(page))
            found = [found[0] + seen.count(raw), found[1] + seen.count(digits)]
    return found

told = [copies()]
key = vault.open_key(Profile(Path(folder)), SystemKeyring(org, device))
told.append(copies())
key.wipe()
told.append(copies())
print(json.dumps(told))
"""


def test_the_data_key_is_there_once_and_then_gone(laptop: Laptop) -> None:
    data_key, _share = made(laptop)
    masked = bytes(byte ^ MASK for byte in data_key).hex()
    told = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=f"{laptop.profile.folder} {laptop.org} {laptop.device} {masked}",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert json.loads(told) == [[0, 0], [1, 0], [0, 0]]
