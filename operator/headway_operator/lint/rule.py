"""What a rule is: a question to a revision, named by what it finds, and how bad that is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from headway_operator.lint.context import Revision
from headway_operator.lint.findings import Finding, Severity

Check = Callable[[Revision], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A check with the worst severity that it gives; its docstring has the page's text."""

    severity: Severity
    check: Check

    @property
    def name(self) -> str:
        """The check's own name: a sentence that is true when it finds something."""
        return self.check.__name__
