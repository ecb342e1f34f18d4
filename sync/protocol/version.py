"""Versions of the wire and of the table of kinds, what each brought, and the oldest still spoken."""

from __future__ import annotations

from typing import Final

# 1  first exchange: ops up; results, rows, conflicts, orders and documents down.
PROTOCOL: Final = 1
OLDEST_PROTOCOL: Final = 1

# 1  customer, contact, deal, product, activity, task, consent.
# 2  attachment.
SCHEMA: Final = 2

APP_VERSION: Final = "0.1.0"
