"""Files in and out: reading tables of other programs, planning what they bring, and writing our own.

`plan.prepare` reads and decides without writing; `apply.apply` brings a plan into the book, whole or not at all;
`export.write` writes the records of one kind.
"""

from __future__ import annotations
