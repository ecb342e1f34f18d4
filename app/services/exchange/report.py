"""What an import says: findings per row and column, a report per file, and the whole, for people and for programs."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sync.protocol import harmless
from sync.protocol.joins import listed
from sync.protocol.kinds import Kind
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

SHOWN: Final = 10  # problems shown per file in the readable text; JSON has them all


class Level(enum.StrEnum):
    """How much a finding asks of the reader."""

    PROBLEM = "problem"  # something of the file did not come in as it stands
    CORRECTION = "correction"  # read as something else than what is written
    NOTE = "note"  # an assumption, or something worth knowing


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to say about a file; `row` 0 means the file or a whole column.

    `times` counts the rows it holds for and `rows` names them. `kept` says whether the cell's
    text came in all the same.
    """

    problem: str
    level: Level = Level.PROBLEM
    row: int = 0
    column: str = ""
    value: str = ""
    times: int = 1
    rows: tuple[int, ...] = ()
    kept: bool = False

    def json(self) -> dict[str, Any]:
        """The finding as JSON; what is empty is left out, but for row, column and problem."""
        found: dict[str, Any] = {
            "row": self.row or None,
            "column": self.column or None,
            "problem": self.problem,
        }
        if self.level is Level.PROBLEM:
            found["value_kept"] = self.kept
        if self.value:
            found["value"] = self.value
        if self.times > 1:
            found |= {"times": self.times, "rows": list(self.rows)}
        return found

    def text(self) -> str:
        """The finding in one line, whatever stands in the cell it speaks of."""
        place = harmless.line(self.column)
        if self.row and self.times == 1:
            row = _("row {row}").format(row=self.row)
            place = f"{row}, {place}" if place else row
        value = f" “{harmless.line(self.value[:60])}”" if self.value else ""
        times = ""
        if self.times > 1:
            times = " " + ngettext("({n} time)", "({n} times)", self.times).format(n=self.times)
        return f"{place}{value}: {self.problem}{times}" if place or value else f"{self.problem}{times}"


class State(enum.StrEnum):
    """What becomes of a file."""

    READ = "read"
    LEFT_OUT = "left_out"  # recognised as something that is not imported, or not recognised
    REFUSED = "refused"  # could not be read: nothing is imported while it is among the files


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one file brings. `rows` = added + updated + here + skipped."""

    file: str
    state: State
    reason: str = ""
    encoding: str = ""
    delimiter: str = ""
    kind: Kind | None = None
    rows: int = 0
    added: int = 0
    updated: int = 0
    here: int = 0  # already in the book, nothing to add to them
    skipped: int = 0
    columns: tuple[tuple[str, str], ...] = ()  # heading and the field it is taken for
    unmapped: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    passed: bool = (
        False  # left out since it lies beside tables and is none: told with others of its sort in one line
    )

    def of(self, level: Level) -> list[Finding]:
        """The findings of one level, in order."""
        return [finding for finding in self.findings if finding.level is level]

    def json(self) -> dict[str, Any]:
        """The report as JSON."""
        report: dict[str, Any] = {"file": self.file, "state": self.state.value}
        if self.reason:
            report["reason"] = self.reason
        if self.state is State.READ and self.kind is not None:
            report |= {
                "encoding": self.encoding,
                "delimiter": self.delimiter,
                "kind": self.kind.name,
                "rows": self.rows,
                "added": self.added,
                "updated": self.updated,
                "already_here": self.here,
                "skipped": self.skipped,
                "columns": dict(self.columns),
                "unmapped": list(self.unmapped),
            }
        for key, level in (
            ("problems", Level.PROBLEM),
            ("corrections", Level.CORRECTION),
            ("notes", Level.NOTE),
        ):
            report[key] = [finding.json() for finding in self.of(level)]
        return report

    def lines(self) -> list[str]:
        """The report as lines of text."""
        if self.state is not State.READ or self.kind is None:
            left = self.state is State.LEFT_OUT
            text = _("{file}: left out. {reason}") if left else _("{file}: refused. {reason}")
            return [harmless.line(text.format(file=self.file, reason=self.reason))]
        file = harmless.line(self.file)
        kind = _(self.kind.label if self.rows == 1 else self.kind.plural).lower()  # a word in a sentence
        head = _("{file}: {count} {kind}").format(file=file, count=self.rows, kind=kind)
        counts = [
            (self.added, _("{n} new")),
            (self.updated, _("{n} filled up")),
            (self.here, _("{n} already here")),
            (self.skipped, _("{n} left out")),
        ]
        done = listed(text.format(n=n) for n, text in counts if n) or _("nothing to do")
        found = [f"{head} ({done})"]
        mark = {"\t": "Tab"}.get(self.delimiter, f"“{self.delimiter}”")
        found.append(
            _("  read as {encoding}, cells parted by {mark}").format(encoding=self.encoding, mark=mark)
        )
        if self.unmapped:
            names = harmless.line(listed(self.unmapped))
            found.append(_("  columns not taken: {names}").format(names=names))
        for level in (Level.NOTE, Level.CORRECTION, Level.PROBLEM):
            findings = self.of(level)
            found += [f"  {finding.text()}" for finding in findings[:SHOWN]]
            if len(findings) > SHOWN:
                rest = len(findings) - SHOWN
                found.append("  " + ngettext("… and {n} more", "… and {n} more", rest).format(n=rest))
        return found


@dataclass(frozen=True, slots=True)
class Report:
    """What an import brings (`done` false: would bring), file by file."""

    files: tuple[FileReport, ...]
    done: bool = False

    def total(self, name: str) -> int:
        """The sum of one count over the files: added, updated, here, skipped, rows."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def refused(self) -> list[FileReport]:
        """Files that could not be read."""
        return [file for file in self.files if file.state is State.REFUSED]

    @property
    def problems(self) -> list[Finding]:
        """The problems of all files, in order."""
        return [finding for file in self.files for finding in file.of(Level.PROBLEM)]

    def json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        counts = {name: self.total(name) for name in ("rows", "added", "updated", "skipped")}
        return {
            "done": self.done,
            **counts,
            "already_here": self.total("here"),
            "problems": len(self.problems),
            "files": [file.json() for file in self.files],
        }

    def text(self) -> str:
        """The report for a person, in their language."""
        lines = [line for file in self.files if not file.passed for line in file.lines()]
        if passed := [harmless.line(file.file) for file in self.files if file.passed]:
            text = ngettext(
                "{n} file passed over, since it holds no table: {names}",
                "{n} files passed over, since they hold no table: {names}",
                len(passed),
            )
            names = listed([*passed[:SHOWN], "…"] if len(passed) > SHOWN else passed)
            lines.append(text.format(n=len(passed), names=names))
        added, updated = self.total("added"), self.total("updated")
        if self.refused:
            lines.append(_("Nothing is imported while a file cannot be read."))
        elif not any(file.state is State.READ for file in self.files):
            lines.append(_("Nothing to import was found."))
        elif self.done:
            lines.append(
                _("Imported: {added} new, {updated} filled up.").format(added=added, updated=updated)
            )
        else:
            lines.append(
                _("Nothing was written. An import would bring {added} new, {updated} filled up.").format(
                    added=added, updated=updated
                )
            )
        return "\n".join(lines)


@dataclass(slots=True)
class Gathered:
    """Findings on their way into a report: alike ones become one with a count."""

    order: list[Finding] = field(default_factory=list)
    alike: dict[tuple[str, Level, str, str], list[int]] = field(default_factory=dict)

    def one(self, finding: Finding) -> None:
        """Keep a finding by itself."""
        self.order.append(finding)

    def again(self, problem: str, level: Level, row: int, column: str = "", value: str = "") -> None:
        """Count a finding that holds for many rows."""
        self.alike.setdefault((problem, level, column, value), []).append(row)

    def all(self) -> tuple[Finding, ...]:
        """The findings, those of single rows first."""
        counted = (
            Finding(
                problem,
                level=level,
                row=rows[0],
                column=column,
                value=value,
                times=len(rows),
                rows=tuple(rows),
            )
            for (problem, level, column, value), rows in self.alike.items()
        )
        return (*self.order, *counted)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of the whole file first, then by row."""
    return tuple(sorted(findings, key=lambda finding: (finding.row, finding.column)))
