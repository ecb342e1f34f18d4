"""Remake the lock files from pyproject.toml, with hashes and without the name of any index.

Run by `make lock`. uv resolves for every supported system at once (`--universal`); the settings of this
machine (pip's and uv's own, mirrors, link folders) are kept out, so that the result is the same everywhere.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "packaging" / "locks"

# Only what a resolver needs to run at all: everything named PIP_*, UV_* or *INDEX* stays outside.
_KEPT = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
_OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
)


def compile_lock(out: str, *what: str) -> None:
    """Write `packaging/locks/<out>`; raises CalledProcessError when the parts do not fit together."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "pip", "compile", *_OPTIONS, *what, "-o", f"packaging/locks/{out}"]
    subprocess.run(command, check=True, cwd=ROOT, env=env)


def main() -> int:
    """Remake the locks: what ships, the same versions with the tools beside them, and what the benchmarks add."""
    asked = sys.argv[1:]
    ships = ("pyproject.toml", "--all-extras")
    compile_lock("runtime.lock", *ships, *asked)
    compile_lock("dev.lock", *ships, "--group=dev", "--constraints=packaging/locks/runtime.lock", *asked)
    compile_lock("bench.lock", "--group=bench", *asked)
    compile_lock("peers.lock", "--group=peers", *asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
