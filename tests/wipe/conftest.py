"""The town of the road's tests."""

from __future__ import annotations

from tests.road import town

__all__ = ["town"]
