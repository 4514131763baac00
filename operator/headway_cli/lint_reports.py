"""What ``headway lint`` found, as text with the lines shown, JSON, SARIF 2.1.0, or annotations of GitHub Actions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.ordered import RULES

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SARIF_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
LINES_SHOWN = 4


@dataclass(frozen=True)
class Report:
    """What was found in how many revisions, and from which level on it counts."""

    findings: tuple[Finding, ...]
    revisions: int
    level: Severity


def as_text(report: Report) -> str:
    """For people. Notices are shown only where they count."""
    least = Severity.NOTICE if report.level is Severity.NOTICE else Severity.WARNING
    shown = [one for one in report.findings if one.severity.is_at_least(least)]
    blocks = ["\n".join(_block(one)) for one in shown]
    hidden = len(report.findings) - len(shown)
    more = f" ({_count(hidden, 'notice')} not shown: --level notice)" if hidden else ""
    return "\n\n".join([*blocks, f"{_total(report)}{more}"]) + "\n"


def as_json(report: Report) -> str:
    """One object; files and lines as in the text."""
    found = [
        {
            "rule": one.rule,
            "severity": str(one.severity),
            "revision": one.revision,
            "file": one.file,
            "line": one.line,
            "endLine": one.end_line,
            "table": one.table,
            "what": one.what,
            "why": one.why,
            "safe": one.safe,
        }
        for one in report.findings
    ]
    return json.dumps({"revisions": report.revisions, "findings": found}, indent=2, ensure_ascii=False) + "\n"


def as_sarif(report: Report) -> str:
    """For code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""
    names = sorted({rule.name for rule in RULES} | {one.rule for one in report.findings})
    documents = {rule.name: rule for rule in RULES}
    rules = [
        {
            "id": name,
            "shortDescription": {
                "text": _first_line(documents[name].check.__doc__) if name in documents else name
            },
            "help": {"text": _text_of(documents[name].check.__doc__) if name in documents else name},
        }
        for name in names
    ]
    driver = {
        "name": "headway lint",
        "version": version("headway"),
        "rules": rules,
    }
    results = [_sarif_result(one, names.index(one.rule)) for one in report.findings]
    document = {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_github(report: Report) -> str:
    """Workflow commands: GitHub shows them at the lines of a pull request."""
    lines = [_annotation(one) for one in report.findings]
    return "".join(f"{line}\n" for line in [*lines, _total(report)])


REPORTS: dict[str, Callable[[Report], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
"""By the name that ``--output`` takes."""


def rule_lines() -> Iterator[str]:
    """Each rule with its severities and what it finds."""
    for rule in RULES:
        yield f"{'/'.join(rule.severities):14} {rule.name}\n{'':15}{_first_line(rule.check.__doc__)}"


def _block(one: Finding) -> Iterator[str]:
    place = ":".join(filter(None, (one.file, str(one.line or ""))))
    yield f"{place}: {one.severity} {one.rule}" if place else f"{one.severity} {one.rule}"
    yield f"  {one.what} {one.why}"
    yield from _source(one)
    yield f"  {one.safe}"


def _source(one: Finding) -> Iterator[str]:
    """The lines of the call, with a mark under what the first one says."""
    lines = _lines_of(one.file) if one.file and one.line else ()
    last = min(max(one.end_line, one.line), one.line + LINES_SHOWN - 1)
    for number in range(one.line, last + 1):
        if 0 < number <= len(lines):
            text = lines[number - 1]
            yield f"  {number:5} | {text}"
            if number == one.line:
                indent = len(text) - len(text.lstrip())
                yield f"        | {' ' * indent}{'^' * max(len(text.strip()), 1)}"


@lru_cache(maxsize=64)
def _lines_of(file: str) -> tuple[str, ...]:
    try:
        return tuple(
            line.expandtabs()
            for line in Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
        )
    except OSError:
        return ()


def _sarif_result(one: Finding, index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": SARIF_LEVELS[one.severity],
        "message": {"text": one.message},
        "partialFingerprints": {"revisionRule/v1": f"{one.revision}:{one.rule}:{one.table}"},
    }
    if one.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": one.file}}
        if one.line:
            place["region"] = {"startLine": one.line, "endLine": max(one.line, one.end_line)}
        result["locations"] = [{"physicalLocation": place}]
    return result


def _annotation(one: Finding) -> str:
    place = {"file": one.file, "line": one.line, "endLine": one.end_line, "title": one.rule}
    told = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in place.items() if value)
    return f"::{GITHUB_LEVELS[one.severity]} {told}::{_escaped(one.message)}"


def _escaped(text: str, also: str = "") -> str:
    for mark in f"%\r\n{also}":
        text = text.replace(mark, f"%{ord(mark):02X}")
    return text


def _total(report: Report) -> str:
    counts = Counter(one.severity for one in report.findings)
    parts = [_count(counts[one], str(one).lower()) for one in Severity if counts[one]]
    return f"{_count(report.revisions, 'revision')}: {', '.join(parts) or 'nothing found'}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0]


def _text_of(text: str | None) -> str:
    return "\n".join(line.removeprefix("    ") for line in (text or "").strip().splitlines())
