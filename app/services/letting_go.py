"""Asks the server about each record that is held back, for a person who wants it to go."""

from __future__ import annotations

import logging

from app.services.session import Session
from sync.client.comparing import Comparison
from sync.client.errors import ExchangeError
from sync.client.holding_back import HoldingBack
from sync.client.line import Line

_LOG = logging.getLogger("app.services.letting_go")


def confirmed(session: Session, line: Line, back: HoldingBack) -> bool:
    """Whether the server says of each of them by itself that it goes: then they go with the next exchange."""
    from app.store.replica import StoreReplica  # an exchange comes after the first list

    position = session.call(lambda store: StoreReplica(store).position())
    ids = [change.id for change in back.changes]
    try:
        told = [each for some in Comparison(line, position).records(ids) for each in some.changes]
    except ExchangeError as problem:
        _LOG.info("what is held back was not asked about: %s", type(problem).__name__)
        return False
    agreed = len(told) == len(ids) and all(each.gone for each in told)
    if agreed:
        back.confirm(frozenset(ids))
    return agreed
