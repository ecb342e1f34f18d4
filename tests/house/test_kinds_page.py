"""The page of kinds says what the table of kinds says."""

from __future__ import annotations

import importlib.util

from sync.protocol.kinds import KINDS
from tests.house.tree import ROOT


def test_the_page_of_kinds_is_current() -> None:
    """Where this fails: python packaging/kinds.py"""
    spec = importlib.util.spec_from_file_location("kinds_script", ROOT / "packaging" / "kinds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "kinds.md").read_text(encoding="utf-8")
    assert written == module.page()
    assert "| `tax_number` | text |  | restricted | latest |" in written  # with the class that IT grants
    assert all(f"| `{field.name}`" in written for kind in KINDS.values() for field in kind.fields)
