"""What a rule has found, and how bad that is."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """From the worst down."""

    ERROR = "Error"
    """On a large table the application stands still, or breaks."""
    WARNING = "Warning"
    """It may: that depends on what cannot be seen from here."""
    NOTICE = "Notice"
    """Nothing stands still; there is a better way."""

    def is_at_least(self, other: "Severity") -> bool:
        """Whether it is as bad as the other, or worse."""
        order = tuple(Severity)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True)
class Finding:
    """One place in one revision. A rule fills in what it knows; ``lint.findings`` the rest."""

    what: str
    """What happens, as a sentence."""
    why: str
    """What that does to a running application, as a sentence."""
    safe: str
    """What to do instead, as a sentence; code in it is in backquotes."""
    rule: str = ""
    severity: Severity = Severity.ERROR
    revision: str = ""
    file: str = ""
    line: int = 0
    """0: not known."""
    end_line: int = 0
    table: str = ""

    @property
    def message(self) -> str:
        """All of it in one line."""
        return f"{self.what} {self.why} {self.safe}"
