"""The demo's worst day of the server: its disk is lost, a backup is put back, and the laptops bring the rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from run import Demo

KINDS = ("customer", "contact", "deal", "product")


def back_up(demo: Demo) -> None:
    """A backup of the running server, proven before it counts."""
    with demo.stage.step("IT backs the running server up"):
        file = _file(demo)
        file.unlink(missing_ok=True)
        for verb in ("backup", "verify"):
            demo.stage.must("fieldkeep-server", verb, file, *_where(demo))
        demo.stage.check("the backup is verified", held=True, detail=f"{file.stat().st_size:,} bytes")


def put_back(demo: Demo) -> None:
    """The store is gone, the backup takes its place; what came after it comes from the laptops."""
    stage = demo.stage
    with stage.step(
        "The server loses its disk; IT puts the backup back, and the laptops bring what came after it"
    ):
        before = {name: _said(demo, name) for name in ("laptop-a", "laptop-b")}
        demo.server.stop()
        for part in demo.data.glob("store.db*"):
            part.unlink()
        stage.must("fieldkeep-server", "restore", _file(demo), *_where(demo))
        demo.server.start()
        for name in ("laptop-a", "laptop-b", "laptop-a"):
            demo.laptop(name, "sync")
        for name, held in before.items():
            now = _said(demo, name)
            other = {
                field
                for id_ in held
                for field in held[id_]
                if now.get(id_, {}).get(field) != held[id_][field]
            }
            stage.check(f"{name} holds what it held", held=now == held != {}, detail=", ".join(sorted(other)))
            stage.equal(f"changes unsent on {name}", demo.laptop(name, "status")["unsent"], 0)


def _said(demo: Demo, name: str) -> dict[str, dict[str, Any]]:
    """What the records say, and not who wrote in them last: that is told anew."""
    return {
        id_: {field: value for field, value in record.items() if not field.startswith("changed")}
        for id_, record in demo.held(name, *KINDS).items()
    }


def _file(demo: Demo) -> Path:
    return demo.folder / "backup"


def _where(demo: Demo) -> tuple[str | Path, ...]:
    return "--data", demo.data, "--secrets", demo.secrets
