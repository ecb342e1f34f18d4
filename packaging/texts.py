"""Message catalogues: compile them for use, or take up new texts from the sources.

`compile` writes a `.mo` beside every `.po` whose text is newer; `update` extracts the marked texts and merges
them into each language. The `.mo` files are never committed: set-up and the wheel's build hook make them.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "resources" / "locale"
DOMAIN = "fieldkeep"
LANGUAGES = ("zh_CN", "zh_TW")
SOURCES = [("app/**.py", "python"), ("sync/**.py", "python"), ("resources/console/pages/**.html", "jinja2")]

# Babel's own header would change with every run, and name people.
_HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: Fieldkeep\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""

# `_` and `N_` are how the sources call gettext and mark; the context comes first in pgettext.
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "mark": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}


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


def extract() -> Catalog:
    """Every marked text of the sources, with the files it stands in (no lines: they would change daily)."""
    found = Catalog(domain=DOMAIN, charset="utf-8", fuzzy=False)
    marked = extract_from_dir(str(ROOT), SOURCES, keywords=KEYWORDS, comment_tags=("Translators:",))
    for name, _line, message, comments, context in marked:
        found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def update(folder: Path = LOCALE) -> None:
    """Merge the sources' texts into each language; what is no longer used is dropped, nothing is guessed."""
    template = extract()
    for language in LANGUAGES:
        target = folder / language / "LC_MESSAGES" / f"{DOMAIN}.po"
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            with target.open("rb") as stream:
                catalogue = read_po(stream, locale=language, domain=DOMAIN)
        else:
            catalogue = Catalog(locale=language, domain=DOMAIN, charset="utf-8", fuzzy=False)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        body = io.BytesIO()
        write_po(body, catalogue, width=100, omit_header=True, sort_output=True, include_lineno=False)
        head = _HEADER.format(language=language, plural=catalogue.plural_forms)
        target.write_bytes(head.encode() + body.getvalue())


def main() -> int:
    """`compile` or `update`; 2 for any other word."""
    if sys.argv[1:] == ["compile"]:
        compile_all()
        return 0
    if sys.argv[1:] == ["update"]:
        update()
        compile_all()
        return 0
    print("usage: texts.py compile | update", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
