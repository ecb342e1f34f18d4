"""The log: what happened, without anything personal and without keys.

Plain text for support: no line may name a customer, hold an address, a number or a key. Three things see to
that, each alone enough for most lines: arguments (numbers, and lower-case words such as kinds and codes, are shown;
any other text becomes •), the table of kinds (a field above `Care.PUBLIC` becomes •), and patterns over the whole line.
Errors that are not ours are logged by type and place; their texts are not, since they quote what they stumbled over.

    log.info("saved %s", fields("contact", values))    # saved name=• phones=• do_not_contact=•
    log.info("saved", extra={"kind": "contact", "fields": values})    # the same

Loggers are named "app" and "sync" and by module below them.
"""

from __future__ import annotations

import contextlib
import io
import logging
import logging.handlers
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from app.paths import PRIVATE_DIR, PRIVATE_FILE
from sync.protocol.errors import KnownError
from sync.protocol.fields import Care
from sync.protocol.kinds import KINDS

HIDDEN: Final = "•"
LOGGERS: Final = ("app", "sync")
FILE: Final = "fieldkeep.log"
FILE_BYTES: Final = 1_000_000
FILES_KEPT: Final = 3  # beside the one being written
LINE_MAX: Final = 8_000  # characters

# In this order: a code or an address holds pieces that look like the next pattern.
_PATTERNS: Final = (
    re.compile(r"\bFK1(?:[-\s]?[A-Z2-7]{1,5}){4,}", re.IGNORECASE),
    re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:=]+"),
    re.compile(r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{32,}(?![0-9A-Za-z])"),
    # 32 bytes and more in base64, which hold a digit and a capital; long names of functions do not
    re.compile(r"(?<![0-9A-Za-z])(?=\S*\d)(?=\S*[A-Z])[A-Za-z0-9+/_-]{43,}={0,2}(?![0-9A-Za-z])"),
)
# Seven digits and more, however they are grouped; a day (2026-03-14) is not a phone number.
_PHONE: Final = re.compile(r"(?<![\w.])\+?\(?\d(?:[ \u00a0()./-]{0,2}\d){6,19}(?!\w)")
# What an argument may say as it is: a kind, a code, a host, a version; no name is written like this.
_WORD: Final = re.compile(r"[a-z0-9_./:+-]{0,80}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

_PRIVATE_NAMES: Final = frozenset(
    field.name for kind in KINDS.values() for field in kind.fields if field.care > Care.PUBLIC
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({})))


class Shown(str):
    """A text made here of what may be shown; as an argument it stays as it is."""

    __slots__ = ()


def fields(kind: str, values: Mapping[str, object]) -> Shown:
    """The fields of a record for a log line: names, and values only where the table calls them public."""
    known = KINDS[kind].by_name if kind in KINDS else {}
    return Shown(
        " ".join(
            f"{name if name in known else HIDDEN}={_shown(known[name].care, value) if name in known else HIDDEN}"
            for name, value in values.items()
        )
    )


def redact(text: str) -> str:
    """A text without addresses, phone numbers, keys and enrolment codes, and of bounded length."""
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    text = _PHONE.sub(lambda found: found[0] if _DAY.fullmatch(found[0].strip()) else HIDDEN, text)
    return text if len(text) <= LINE_MAX else text[:LINE_MAX] + " …"


class Redaction(logging.Filter):
    """Makes a record safe to write: its message, its arguments, its structured fields and its error."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record is another one afterwards."""
        record.msg = redact(_message(record))
        record.args = None
        for name in set(vars(record)) - _STANDARD - {"message", "asctime"}:
            delattr(
                record, name
            )  # what `extra` brought has been taken into the message, or is not ours to keep
        if record.exc_info:
            record.exc_text = redact(_told(record.exc_info[1]))
            record.exc_info = None
        record.stack_info = None
        return True


class _File(logging.handlers.RotatingFileHandler):
    """A bounded file that only its person may read."""

    def _open(self) -> io.TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        return io.TextIOWrapper(
            io.FileIO(handle, "a"), encoding="utf-8", errors="replace", write_through=True
        )

    def handleError(self, record: logging.LogRecord) -> None:
        """Say on stderr that the log fails; the standard way would print the arguments, names and all."""
        error = sys.exc_info()[0]
        if sys.stderr is not None:
            sys.stderr.write(
                f"fieldkeep: the log cannot be written ({error.__name__ if error else 'unknown'})\n"
            )


def set_up(folder: Path, *, level: int = logging.INFO) -> None:
    """Write the loggers `app` and `sync` to files in `folder`.

    A second call moves the log to another folder. Raises OSError when the folder cannot be written.
    """
    folder.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        (folder / FILE).chmod(PRIVATE_FILE)
    made = _File(folder / FILE, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    form = logging.Formatter("{asctime}Z {levelname} {name} {message}", "%Y-%m-%dT%H:%M:%S", style="{")
    form.converter = time.gmtime
    made.setFormatter(form)
    made.addFilter(Redaction())
    shut()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.addHandler(made)


def take_uncaught() -> None:
    """From here on, errors that nobody caught go to the log by type and place; the terminal names only the type."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def shut() -> None:
    """Close the files, so that a wipe can remove them; later lines go nowhere."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for handler in [each for each in logger.handlers if isinstance(each, _File)]:
            logger.removeHandler(handler)
            handler.close()


def _message(record: logging.LogRecord) -> str:
    arguments = record.args
    if isinstance(arguments, Mapping):
        arguments = {
            name: HIDDEN if name in _PRIVATE_NAMES else _argument(value) for name, value in arguments.items()
        }
    elif isinstance(arguments, tuple):
        arguments = tuple(_argument(value) for value in arguments)
    try:
        text = str(record.msg) % arguments if arguments else str(record.msg)
    except (TypeError, ValueError, KeyError):
        text = f"{record.msg} (its arguments do not fit)"
    kind, values = getattr(record, "kind", None), getattr(record, "fields", None)
    if isinstance(values, Mapping):
        text = f"{text} {fields(str(kind), values)}"
    return text


def _argument(value: object) -> object:
    """Numbers and lower-case words as they are; of errors only what is ours; of other things type and size."""
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, str):
        return str(value) if isinstance(value, Shown) or _WORD.fullmatch(value) else HIDDEN
    if isinstance(value, BaseException):
        return _named(value)
    if isinstance(value, type):
        return value.__qualname__
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return f"<{type(value).__name__} of {len(value)}>"
    return f"<{type(value).__name__}>"


def _named(error: BaseException) -> str:
    """An error's type; and its text where we wrote it, which by rule names nobody."""
    if isinstance(error, KnownError):
        return f"{type(error).__qualname__}: {error.title}"
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _told(error: BaseException | None) -> str:
    """An error and those that led to it: type, and where each came by, without their texts."""
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        parts.append(_named(error))
        parts.extend(
            f"  {Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__, limit=-20)
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def _shown(care: Care, value: object) -> object:
    return _argument(value) if care <= Care.PUBLIC else HIDDEN


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("app").error("uncaught", exc_info=(kind, error, trace))
    with contextlib.suppress(OSError):
        if sys.stderr is not None:
            sys.stderr.write(
                f"fieldkeep: an unexpected error ended this ({kind.__qualname__}); see the log\n"
            )


def _uncaught_in_thread(found: Any) -> None:
    if found.exc_type is not SystemExit and found.exc_value is not None:
        _uncaught(found.exc_type, found.exc_value, found.exc_traceback)
