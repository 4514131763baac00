"""What the review found in the plan of a run: a line for each finding, as ``headway plan`` words it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from headway_cli.report import Item
from headway_contract.sentences import counted
from headway_operator.api.migration import LintSettings
from headway_operator.api.status import Status
from headway_operator.lint.findings import Finding
from headway_operator.planner.review import finding_of, is_reviewed_now, left_over, warnings_left

MOST = 20
"""Of a run; ``headway plan`` shows all."""
WHERE_IT_IS_WHOLE = "headway plan of the same files says why, and what to write instead"


def items_of_review(old: Status, new: Status, lint: LintSettings) -> Iterator[Item]:
    """Once, when the plan was made: nothing where nothing was found, or nobody looked."""
    plan = new.plan
    if plan is None or not is_reviewed_now(old.plan, plan):
        return
    total = sum(one.count for one in left_over(plan, lint))
    if not total:
        return
    yield Item("LintFindings", f"the review has {counted(total, 'finding')}; {WHERE_IT_IS_WHOLE}")
    found = list(_found(new, lint))
    for database, one in found[:MOST]:
        yield _item(database, one)
    left_out = total - len(found[:MOST])
    if left_out > 0:
        yield Item("LintFindings", f"and {counted(left_out, 'further finding')}")


def _found(status: Status, lint: LintSettings) -> Iterator[tuple[str, Finding]]:
    for database in status.databases:
        for one in database.pending:
            yield from ((database.name, finding_of(one, warning)) for warning in warnings_left(one, lint))


def _item(database: str, one: Finding) -> Item:
    place = f"{one.rule}, line {one.line}" if one.line else one.rule
    details = {
        "severity": one.severity.value,
        "revision": one.revision,
        "rule": one.rule,
        "line": one.line or None,
    }
    return Item("LintFinding", f"{one.severity} in {one.revision}: {one.what} [{place}]", database, details)
