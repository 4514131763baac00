"""What revisions there are in words that say whether they are applied or taken back. Pure."""

from collections.abc import Iterable, Sequence

from headway_contract.sentences import counted
from headway_operator.api.status import DatabaseStatus


def to_do(revisions: int, databases: Sequence[DatabaseStatus]) -> str:
    """``2 revisions to apply``, ``1 revision to take back``, or both: what the plan of these databases is to do."""
    planned = [one for one in databases if one.planned is not None]
    back = [one for one in planned if one.takes_back]
    down = revisions if back == planned else min(sum(one.revisions_total or 0 for one in back), revisions)
    return _told(revisions, down if back else 0, "to apply", "to take back")


def done(databases: Iterable[DatabaseStatus]) -> str:
    """The same of what was done to them."""
    counts = [(one.revisions_done or 0, one.takes_back) for one in databases]
    revisions = sum(number for number, _ in counts)
    return _told(revisions, sum(number for number, is_back in counts if is_back), "applied", "taken back")


def _told(revisions: int, back: int, up: str, down: str) -> str:
    if not back:
        return f"{counted(revisions, 'revision')} {up}"
    if back == revisions:
        return f"{counted(revisions, 'revision')} {down}"
    return f"{counted(revisions - back, 'revision')} {up}, {back} {down}"
