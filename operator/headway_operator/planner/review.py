"""What the lint says of a plan: noted once, when the plan is told, and judged by the settings of each look.

So turning a rule or the enforcement off opens the gate without another plan.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from headway_contract.result import DatabasePlan, Plan, shorten
from headway_contract.sentences import sentence
from headway_operator.api.migration import LintSettings
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import DatabaseStatus, Pending, PlanStatus, RuleStatus
from headway_operator.lint.findings import Finding, Severity
from headway_operator.lint.lint import findings
from headway_operator.planner.run import current_run
from headway_operator.planner.snapshot import Findings, Read, Snapshot, Stage

RULES_SHOWN = 64
WARNINGS_SHOWN = 32
"""Of one revision."""
TEXT_CHARACTERS = 900
FIRST = 2
"""So many findings are told in words where there are several rules; all of them have other places to be read at."""
FIRST_CHARACTERS = 220
ONE_CHARACTERS = 450
"""Of one that is the only one, and so has its safe form."""
UNSEEN = ("revision_is_not_rendered", "statement_cannot_be_read")
"""Rules that find what no rule could judge: under Enforce that is not let pass without a word of a person."""
_HEAD = re.compile(r"[ ,]+")
"""Between the words of a finding in a status before its message: its severity, its rule, its line."""
_TEXT = re.compile(
    r"(\w+) (\w+)(?:, line (\d+))?: (.*?[.…](?: \(And .*? at this place\.\))?)(?: |$)", re.DOTALL
)
"""A finding in a status, up to the end of its first sentence."""
UNSEEN_STEP = "What no rule could judge may also go by an approval of the plan: spec.plan.approval: Required."


def plan_to_review(snapshot: Snapshot) -> Plan | None:
    """The plan whose SQL a decision reads, which takes up to a second; None: it reads none."""
    known, spec = snapshot.migration.status.plan, snapshot.migration.spec
    if spec is None or spec.lint.mode == "Never":
        return None
    job = current_run(snapshot, spec).latest(Stage.PLAN)
    is_done = job is not None and known is not None and known.completion_time and known.job_name == job.name
    if job is None or job.result is None or is_done:
        return None
    plan = job.result.plan
    return plan if plan is not None and any(one.facts is not None for one in plan.databases) else None


def findings_of(plan: Plan) -> Findings:
    """What is found in each database, whatever the settings say."""
    return {one.name: _serious(one) for one in plan.databases}


def reviewed(lint: LintSettings, plan: Plan | None, read: Read | None = None) -> Findings | None:
    """What is found in each database; None when nobody looked, or not all that is to be done was told.

    ``read``: what was found before, in this plan or in another one.
    """
    if (
        plan is None
        or lint.mode == "Never"
        or any(one.pending and one.facts is None for one in plan.databases)
    ):
        return None
    return read.findings if read is not None and read.plan == plan else findings_of(plan)


def with_findings(plan: PlanStatus, found: Findings | None) -> PlanStatus:
    """The plan's status with what was found, one entry for each rule, the worst first."""
    if found is None:
        return plan
    by_rule: dict[str, list[tuple[str, Finding]]] = {}
    for database, several in found.items():
        for finding in several:
            by_rule.setdefault(finding.rule, []).append((database, finding))
    rules = [_status_of(rule, alike) for rule, alike in by_rule.items()]
    rules.sort(key=lambda one: tuple(Severity).index(Severity(one.severity)))
    return replace(plan, reviewed=True, findings=tuple(rules[:RULES_SHOWN]))


def with_warnings(database: DatabaseStatus, found: Findings | None) -> DatabaseStatus:
    """The pending revisions with what was found in each."""
    several = (found or {}).get(database.name, ())
    pending = tuple(
        replace(one, warnings=_texts(finding for finding in several if finding.revision == one.revision))
        for one in database.pending
    )
    return replace(database, pending=pending)


def counted(plan: PlanStatus, lint: LintSettings) -> PlanStatus:
    """The plan's status with how many findings the settings of now leave."""
    if not plan.reviewed or lint.mode == "Never":
        return replace(plan, warnings=None)
    return replace(plan, warnings=sum(one.count for one in _left(plan, lint)))


def what_lint_forbids(
    plan: PlanStatus, lint: LintSettings, name: str, is_approved_by_people: bool = False
) -> str:
    """Why the plan may not be carried out, empty when it may; what nobody could judge is left to who approves."""
    if lint.mode != "Enforce" or not plan.digest or not plan.revisions:
        return ""
    if not plan.reviewed:
        return (
            "spec.lint.mode is Enforce, and the revisions of this plan have not been looked at: what they do was not "
            f"told. Plan anew: kubectl annotate dbmig {name} headway.dev/retry=$(date +%s) --overwrite"
        )
    errors = [one for one in _left(plan, lint) if one.severity == Severity.ERROR]
    unseen = [] if is_approved_by_people else _unseen(plan, lint)
    found = [*errors, *unseen]
    if not found:
        return ""
    others = [one for one in _left(plan, lint) if one not in (*errors, *_unseen(plan, lint))]
    counts = (
        _count(errors, "finding", "of severity Error"),
        _count(unseen, "place", "that no rule could judge"),
        _count(others, "finding", "of severity Warning, which holds nothing up"),
    )
    step = f" {UNSEEN_STEP}" if unseen else ""
    # The rule's own name is what a comment or spec.lint.ignore takes.
    named = [replace(one, first=f"{one.rule}: {one.first}") for one in found]
    told = f"{_in_words(named)} {where_all_are(name)} {reason_of('LintFailed').next_step}{step}"
    return f"{', '.join(filter(None, counts))}. {told}"


def what_is_unseen(plan: PlanStatus, lint: LintSettings, name: str) -> str:
    """For whoever approves a plan under Enforce: what of it no rule could judge; empty when there is nothing."""
    unseen = _unseen(plan, lint) if lint.mode == "Enforce" and plan.reviewed else []
    if not unseen:
        return ""
    counted = _count(unseen, "place", "that no rule could judge")
    return f"{counted}: {_in_words(unseen)} {where_all_are(name)}"


def summary(plan: PlanStatus, lint: LintSettings, name: str) -> str:
    """What was found, in a line for an event; empty when nothing was."""
    found = left_over(plan, lint)
    rules = ", ".join(f"{one.rule} ({one.count})" for one in found)
    return f"{rules}. {_in_words(found)} {where_all_are(name)}" if found else ""


def where_all_are(name: str) -> str:
    """Where all findings of the resource of this name are to be read."""
    return f"All, each with its safe form: headway plan {name}; one of each rule: status.plan.findings."


def _in_words(found: Sequence[RuleStatus]) -> str:
    """The only one with its safe form; of several the first, each in what it says first."""
    if len(found) == 1:
        return sentence(shorten(found[0].first, ONE_CHARACTERS))
    told = (shorten(one.first.partition(". ")[0], FIRST_CHARACTERS) for one in found[:FIRST])
    return sentence("; ".join(told))


def left_over(plan: PlanStatus, lint: LintSettings) -> tuple[RuleStatus, ...]:
    """What the settings of now leave of the findings, the worst of each rule; nothing where nobody looked."""
    return _left(plan, lint) if plan.reviewed and lint.mode != "Never" else ()


def warnings_left(pending: Pending, lint: LintSettings) -> tuple[str, ...]:
    """The same of one revision, each in its own words."""
    if lint.mode == "Never":
        return ()
    ignored = set(lint.ignore)
    return tuple(one for one in pending.warnings if not ignored & set(_HEAD.split(one.partition(":")[0])))


def is_reviewed_now(old: PlanStatus | None, new: PlanStatus) -> bool:
    """Whether this is the status that first tells what was found in this plan."""
    is_known = old is not None and (old.job_name, old.reviewed) == (new.job_name, True)
    return new.reviewed and bool(new.completion_time) and not is_known


def finding_of(pending: Pending, warning: str) -> Finding:
    """What is said of this revision there: what happens, at which line; why, and what is safe, is left out."""
    told = _TEXT.match(warning)
    if told is None:
        return Finding(warning, "", "", revision=pending.revision)
    severity, rule, line, what = told.groups()
    return Finding(what, "", "", rule, Severity(severity), pending.revision, line=int(line or 0))


def _unseen(plan: PlanStatus, lint: LintSettings) -> list[RuleStatus]:
    return [one for one in _left(plan, lint) if one.rule in UNSEEN]


def _count(found: list[RuleStatus], noun: str, which: str) -> str:
    count = sum(one.count for one in found)
    return f"{count} {noun}{'' if count == 1 else 's'} {which}" if count else ""


def _left(plan: PlanStatus, lint: LintSettings) -> tuple[RuleStatus, ...]:
    return tuple(one for one in plan.findings if one.rule not in lint.ignore)


def _serious(plan: DatabasePlan) -> tuple[Finding, ...]:
    """Notices are for whoever writes a revision, not for whoever runs it."""
    found = () if plan.facts is None else findings(plan.facts)
    return tuple(one for one in found if one.severity.is_at_least(Severity.WARNING))


def _status_of(rule: str, alike: list[tuple[str, Finding]]) -> RuleStatus:
    database, first = min(alike, key=lambda pair: tuple(Severity).index(pair[1].severity))
    place = f"{first.file}, line {first.line}" if first.line else first.file
    text = f"{database}: {first.revision} ({place}): {first.message}"
    return RuleStatus(rule, str(first.severity), len(alike), shorten(text, TEXT_CHARACTERS))


def _texts(found: Iterable[Finding]) -> tuple[str, ...]:
    texts = (
        f"{one.severity} {one.rule}{f', line {one.line}' if one.line else ''}: {one.message}" for one in found
    )
    return tuple(shorten(text, TEXT_CHARACTERS) for text in texts)[:WARNINGS_SHOWN]
