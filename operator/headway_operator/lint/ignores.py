"""``# headway: ignore RULE because REASON``: which findings it takes away, and whether it is in order itself."""

import difflib
from collections.abc import Iterator

from headway_contract.facts import Ignore
from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity

WITHOUT_A_REASON = "ignore_has_no_reason"
MATCHES_NOTHING = "ignore_matches_nothing"
UNKNOWN_RULE = "ignored_rule_is_unknown"


def kept(findings: tuple[Finding, ...], revision: Revision) -> tuple[Finding, ...]:
    """Those that no comment of the revision's file takes away."""
    ignores = revision.facts.ignores
    return tuple(one for one in findings if not any(takes_away(ignore, one) for ignore in ignores))


def takes_away(ignore: Ignore, finding: Finding) -> bool:
    """It names the rule, and stands in the file's head, or in the call or just before it. It must have a reason."""
    if ignore.rule != finding.rule or not ignore.reason:
        return False
    return ignore.whole_file or finding.line - 1 <= ignore.line <= max(finding.end_line, finding.line)


def of_ignores(
    findings: tuple[Finding, ...], revision: Revision, rules: tuple[str, ...], off: tuple[str, ...]
) -> Iterator[Finding]:
    """Ignores without a reason, of unknown rules, and those that nothing needs; ``off``: rules that did not run."""
    for ignore in revision.facts.ignores:
        if ignore.rule not in rules:
            yield _of(UNKNOWN_RULE, ignore, revision, *unknown(ignore.rule, rules))
        elif not ignore.reason:
            yield _of(
                WITHOUT_A_REASON,
                ignore,
                revision,
                f"The finding {ignore.rule} is to be ignored, without a word why.",
                "Whoever reads it later cannot tell whether it still holds, so it is not obeyed.",
                f"Write `# headway: ignore {ignore.rule} because …`.",
            )
        elif ignore.rule not in off and not any(takes_away(ignore, one) for one in findings):
            yield _of(
                MATCHES_NOTHING,
                ignore,
                revision,
                f"{ignore.rule} is to be ignored where it finds nothing.",
                "It may hide the next finding.",
                "Take the comment away.",
                Severity.NOTICE,
            )


def unknown(name: str, rules: tuple[str, ...]) -> tuple[str, str, str]:
    """What, why and what to do about a rule of this name."""
    close = difflib.get_close_matches(name, rules, n=1)
    advice = f"Did you mean `{close[0]}`?" if close else "`headway lint --rules` lists the rules."
    return f"There is no rule {name}.", "Nothing is ignored by this.", advice


def _of(
    rule: str,
    ignore: Ignore,
    revision: Revision,
    what: str,
    why: str,
    safe: str,
    severity: Severity = Severity.WARNING,
) -> Finding:
    facts = revision.facts
    return Finding(what, why, safe, rule, severity, facts.revision, facts.file, ignore.line, ignore.line)
