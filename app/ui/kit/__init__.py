"""Painted parts of the desktop that know no kind of record: list, badge, card, timeline and the like."""
