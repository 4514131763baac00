"""What is wrong with the input: where it stands, what is wrong, and what to write instead. Exit code 2."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing to correct; ``where`` is a file or an option, ``field`` a path such as ``spec.databases[1].name``."""

    where: str
    field: str
    what: str
    advice: str = ""

    def __str__(self) -> str:
        """One or two lines for a terminal."""
        place = f"{self.where}: {self.field}" if self.field else self.where
        return f"{place}: {self.what}" + (f"\n  {self.advice}" if self.advice else "")


class Defect(Exception):
    """Something that should not happen did: the masked traceback, for a report."""


class BadInput(Exception):
    """The command cannot start; nothing was touched."""

    def __init__(self, *problems: Problem) -> None:
        """All problems that were found, so that they can be corrected at once."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
