"""The server's log: one line per event, names and values, ids and numbers only; nothing personal, no key, no text
that came over the wire."""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
from typing import Final

_LOG = logging.getLogger("sync.server")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/+-]{1,80}")


class Lines(logging.Formatter):
    """`2026-11-22T19:00:00.000Z INFO exchange status=200 device=… ms=4`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a trace names files, lines and functions and never values."""
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        return f"{at.replace('+00:00', 'Z')} {record.levelname} {record.getMessage()}"


def start(level: int = logging.INFO) -> None:
    """Send our lines to stderr, where a service manager keeps them."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(Lines())
    logger = logging.getLogger("sync")
    logger.setLevel(level)
    logger.addHandler(lines)
    # uvicorn's own lines carry addresses of people's machines.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        foreign = logging.getLogger(name)
        foreign.setLevel(logging.CRITICAL)
        foreign.propagate = False


def line(event: str, **facts: str | int) -> str:
    """One line; a value that is no plain word or number is left out, whatever it is."""
    return " ".join([event, *(f"{name}={_plain(value)}" for name, value in facts.items())])


def note(event: str, **facts: str | int) -> None:
    """Something usual happened."""
    _LOG.info(line(event, **facts))


def alarm(event: str, **facts: str | int) -> None:
    """Something happened that somebody should look at."""
    _LOG.warning(line(event, **facts))


def fault(event: str, error: BaseException) -> None:
    """A fault of ours: where it happened and of what type it is; its text may quote data and stays out."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
        trace = trace.tb_next
    _LOG.error(line(event, type=type(error).__name__, at=place))


def _plain(value: str | int) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else "-"
