"""What a rule is: a question to a revision, named by what it finds, and how bad that is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity

Check = Callable[[Revision], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A check with the worst severity that it gives, and the mildest where that is another; its docstring has the
    page's text.
    """

    severity: Severity
    check: Check
    mildest: Severity | None = None

    @property
    def severities(self) -> tuple[Severity, ...]:
        """What it gives, the worst first."""
        return (self.severity,) if self.mildest is None else (self.severity, self.mildest)

    @property
    def name(self) -> str:
        """The check's own name: a sentence that is true when it finds something."""
        return self.check.__name__
