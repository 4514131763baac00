"""A comparison with the models that a run makes by itself: how it is asked for, and what its result tells of it."""

from dataclasses import replace

from headway_contract.records import dataclass

DIFFERENCES_TOLD = 10
TEXT_CHARACTERS = 300


@dataclass(frozen=True)
class DriftWish:
    """Compare after the run."""

    ignore: tuple[str, ...] = ()
    """Patterns as ``drift.without_ignored`` takes them."""
    seconds: int = 60
    """The longest time that it may take, for all databases of the run together."""


@dataclass(frozen=True)
class DriftReport:
    """What was found of one database."""

    count: int | None = None
    """How many differences there are; None: nothing was compared."""
    differences: tuple[str, ...] = ()
    """The first of them, as sentences without a full stop."""
    digest: str = ""
    """``sha256:…`` over all of them; empty: there is none, or nothing was compared."""
    message: str = ""
    """Why nothing was compared, or not all of it, as sentences."""

    def cut(self, items: int, characters: int) -> "DriftReport":
        """The same in fewer bytes."""
        return replace(
            self,
            differences=tuple(one[:characters] for one in self.differences[:items]),
            message=self.message[:characters],
        )
