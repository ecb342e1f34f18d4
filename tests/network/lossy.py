"""A network namespace whose packets get lost by chance, both ways: no proxy stages that, since TCP mends it below."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROGRAMS: Final = {"ip": "iproute2", "nft": "nftables"}
_FOLDER: Final = Path("/var/run/netns")


@dataclass(frozen=True, slots=True)
class Lossy:
    """A namespace, and the address by which it reaches this machine."""

    name: str
    host: str

    def words(self, program: str, words: list[str]) -> tuple[str, list[str]]:
        """How `forks.start` runs a program in it."""
        asked = {"namespace": self.name, "program": program, "words": words}
        return "tests.network.lossy:within", [json.dumps(asked)]

    def lost(self) -> int:
        """How many packets got lost so far."""
        told = json.loads(_run("ip", "netns", "exec", self.name, "nft", "-j", "list", "ruleset"))
        rules = [each["rule"]["expr"] for each in told["nftables"] if "rule" in each]
        return sum(int(one["counter"]["packets"]) for rule in rules for one in rule if "counter" in one)


def why_not() -> str:
    """Why there can be none here, or nothing."""
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:  # root has /usr/sbin on its path
            return f"{program} is missing: `make setup` installs {package}"
    if os.geteuid() != 0:
        return "only root can make a network namespace"
    try:
        with lossy(1):
            return ""
    except subprocess.CalledProcessError as problem:
        return f"this kernel does not let {' '.join(problem.cmd[:3])}: {problem.stderr.strip()}"


@contextlib.contextmanager
def lossy(percent: int) -> Iterator[Lossy]:
    """A namespace in which so many of a hundred packets get lost on their way in, and as many on their way out."""
    number = os.getpid() % 60_000
    name, here, there = f"fieldkeep-{number}", f"fk{number}a", f"fk{number}b"
    net = f"10.{77 + number // 256 % 100}.{number % 256}"
    host = f"{net}.1"
    inside = ("ip", "netns", "exec", name)
    with contextlib.ExitStack() as stack:
        _run("ip", "netns", "add", name)
        stack.callback(_run, "ip", "netns", "del", name)
        _run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        stack.callback(_run, "ip", "link", "del", here)
        _run("ip", "addr", "add", f"{host}/24", "dev", here)
        _run("ip", "link", "set", here, "up")
        _run(*inside, "ip", "addr", "add", f"{net}.2/24", "dev", there)
        _run(*inside, "ip", "link", "set", there, "up")
        _run(*inside, "ip", "link", "set", "lo", "up")
        _run(*inside, "nft", "add", "table", "inet", "loss")
        for hook, of in (("input", "iifname"), ("output", "oifname")):
            chain = ("inet", "loss", hook)
            _run(*inside, "nft", "add", "chain", *chain, f"{{ type filter hook {hook} priority 0; }}")
            drop = f"{of} {there} numgen random mod 100 < {percent} counter drop"
            _run(*inside, "nft", "add", "rule", *chain, drop)
        yield Lossy(name, host)


def within(words: list[str]) -> int:
    """Run a program ("module:function") in a namespace; all threads that it starts are in it too."""
    asked = json.loads(words[0])
    libc = ctypes.CDLL(None, use_errno=True)
    with (_FOLDER / asked["namespace"]).open("rb") as namespace:
        if libc.setns(namespace.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    module, _colon, name = asked["program"].partition(":")
    return int(getattr(importlib.import_module(module), name)(asked["words"]) or 0)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
