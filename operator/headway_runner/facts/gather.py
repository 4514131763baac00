"""All that is known of the revisions that a look found pending, within the bounds of what is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from headway_contract.codec import encode
from headway_contract.facts import DatabaseFacts, RevisionFacts, TableFacts
from headway_contract.records import dataclass
from headway_runner.facts.bounds import CATALOG_ROWS, DATABASES_CHARACTERS
from headway_runner.facts.branches import own_of, parents_of
from headway_runner.facts.offline import Rendered, Script, render, script_of
from headway_runner.facts.source import file_facts
from headway_runner.facts.tables import all_tables, touched
from headway_runner.project.alembic_env import Step, commits_each_revision, revision_of, runs_a_file
from headway_runner.project.history import pending

UNTRIED = "revisions that the application's own command runs are not tried without it"
TOO_LONG = "the plan is longer than what is told of it"


@dataclass(frozen=True)
class Sight:
    """One context as a look saw it, while its connection was open."""

    script: Script
    steps: tuple[Step, ...]
    own: frozenset[str] | None
    """The revisions of the branches that the target asks for; None: it asks for all branches."""
    each_commits: bool
    tables: tuple[TableFacts, ...] | None


def see(
    context: MigrationContext,
    directory: ScriptDirectory,
    heads: tuple[str, ...],
    steps: Sequence[Step],
    target: Sequence[str],
    asks_for_all: bool,
) -> Sight:
    """Note what gathering needs; asks the catalog, and begins no transaction."""
    return Sight(
        script_of(context, directory, heads),
        tuple(step for step in steps if runs_a_file(step)),
        None if asks_for_all else own_of(directory, target),
        commits_each_revision(context),
        None if context.connection is None else all_tables(context.connection),
    )


def gather(sights: Sequence[Sight], databases: int) -> DatabaseFacts:
    """The facts of one of so many databases; runs the revisions' code in script mode."""
    room = _Room(DATABASES_CHARACTERS // databases)
    told: dict[str, RevisionFacts] = {}
    for sight in sights:
        steps = [step for step in sight.steps if revision_of(step) not in told]

        def take(step: Step, rendered: Rendered, sight: Sight = sight) -> bool:
            told[revision_of(step)] = room.fit(_facts(sight, step, rendered))
            return not room.is_full

        if steps:
            render(sight.script, steps, take)
            for step in steps:
                if revision_of(step) not in told:
                    told[revision_of(step)] = room.fit(_facts(sight, step, Rendered(why_not=TOO_LONG)))
    return _of_database(sights, tuple(told.values()))


def read_files(sight: Sight, databases: int) -> DatabaseFacts:
    """The facts without the statements: only files are read."""
    room = _Room(DATABASES_CHARACTERS // databases)
    untried = Rendered(why_not=UNTRIED)
    return _of_database((sight,), tuple(room.fit(_facts(sight, step, untried)) for step in sight.steps))


def _of_database(sights: Sequence[Sight], revisions: tuple[RevisionFacts, ...]) -> DatabaseFacts:
    first, tables = sights[0], _all(sights)
    return DatabaseFacts(
        dialect=first.script.dialect,
        server_version=".".join(map(str, first.script.server_version or ())),
        transaction_per_revision=all(sight.each_commits for sight in sights),
        revisions=revisions,
        tables=touched(tables, revisions),
        tables_known=any(sight.tables is not None for sight in sights) and len(tables) <= CATALOG_ROWS,
    )


def _all(sights: Sequence[Sight]) -> tuple[TableFacts, ...]:
    """Contexts of one database see the same tables; the first tells."""
    return next((sight.tables for sight in sights if sight.tables is not None), ())


def _facts(sight: Sight, step: Step, rendered: Rendered) -> RevisionFacts:
    script = step.revision
    file = file_facts(str(script.path), "upgrade" if step.is_upgrade else "downgrade")
    return RevisionFacts(
        revision=revision_of(step),
        title=str(step.doc or ""),
        down_revisions=parents_of(script),
        branch_labels=tuple(sorted(map(str, script.branch_labels or ()))),
        file=file.path,
        file_sha256=pending(step).file_sha256,
        is_downgrade=not step.is_upgrade,
        post_deploy=file.post_deploy,
        is_foreign=step.is_upgrade and sight.own is not None and revision_of(step) not in sight.own,
        statements=rendered.statements,
        not_renderable=rendered.why_not,
        calls=file.calls,
        ignores=file.ignores,
        has_downgrade=file.has_downgrade,
        refuses_downgrade=file.refuses_downgrade,
        is_cut=file.is_cut,
    )


class _Room:
    """How much may still be told."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    @property
    def is_full(self) -> bool:
        """Nothing but names fits."""
        return self._left <= 0

    def fit(self, facts: RevisionFacts) -> RevisionFacts:
        """The facts, or what of them is told when they are too long."""
        size = len(json.dumps(encode(facts)))
        if size > self._left:
            self._left = 0
            return replace(facts, statements=(), calls=(), ignores=(), not_renderable=TOO_LONG, is_cut=True)
        self._left -= size
        return facts
