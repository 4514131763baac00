"""Facts and settings in, findings out: every rule over every revision, then the comments that take some away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from headway_contract.facts import DatabaseFacts
from headway_operator.lint import ignores
from headway_operator.lint.context import Revision, revisions_of
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.ordered import NAMES, RULES


@dataclass(frozen=True)
class Settings:
    """How it is looked: rules that are not applied, by their names."""

    ignore: tuple[str, ...] = ()


def findings(facts: DatabaseFacts, settings: Settings | None = None) -> tuple[Finding, ...]:
    """All findings, by revision, then by line; the same for the same facts."""
    settings = settings or Settings()
    unknown = [name for name in settings.ignore if name not in NAMES]
    of_settings = [
        Finding(*ignores.unknown(name, NAMES), ignores.UNKNOWN_RULE, Severity.WARNING) for name in unknown
    ]
    of_revisions = [one for revision in revisions_of(facts) for one in _of_revision(revision, settings)]
    return (*of_settings, *of_revisions)


def _of_revision(revision: Revision, settings: Settings) -> tuple[Finding, ...]:
    everything = _once_for_each_place(_by_rules(revision, settings.ignore))
    about_ignores = tuple(ignores.of_ignores(everything, revision, NAMES, settings.ignore))
    found = (*ignores.kept(everything, revision), *about_ignores)
    return tuple(sorted(found, key=lambda one: one.line))


def _by_rules(revision: Revision, off: tuple[str, ...]) -> Iterator[Finding]:
    for rule in RULES:
        if rule.name not in off:
            for found in rule.check(revision):
                severity = found.severity if rule.severity.is_at_least(found.severity) else rule.severity
                yield replace(found, rule=rule.name, severity=severity)


def _once_for_each_place(found: Iterator[Finding]) -> tuple[Finding, ...]:
    """A loop runs one line over many tables: that is one finding, with a count."""
    places: dict[tuple[str, int, str], list[Finding]] = {}
    for one in found:
        place = one.what if not one.line else ""
        places.setdefault((one.rule, one.line, place), []).append(one)
    return tuple(_counted(alike) for alike in places.values())


def _counted(alike: list[Finding]) -> Finding:
    worst = min(alike, key=lambda one: tuple(Severity).index(one.severity))
    more = len({one.what for one in alike}) - 1
    return replace(worst, what=f"{worst.what} (And {more} more at this place.)") if more else worst
