"""What a run found to differ from the models, in the status of its database and in a line for people. Pure.

Rule: information alone. Nothing here changes a phase, a condition or what is done next.
"""

from headway_contract.drift_report import DriftReport
from headway_operator.api.migration import DriftSettings
from headway_operator.api.status import DriftStatus

UNTOLD = "Its Job ended without a comparison: it was ended before that, or was not asked for one. Its log may tell."
SHOWN = 3
"""Differences in a line."""


def kept(settings: DriftSettings, known: DriftStatus | None) -> DriftStatus | None:
    """What a new run begins with: what the one before found, while a report is wished."""
    return known if settings.is_wished else None


def compared(
    settings: DriftSettings, known: DriftStatus | None, report: DriftReport | None, now: str
) -> DriftStatus | None:
    """What the Job of a database that is at its target tells; ``known`` is what was found before.

    Where nothing was compared the digest stays that of what was found last, so that finding it again is no news.
    """
    if not settings.is_wished:
        return None
    told = report or DriftReport(message=UNTOLD)
    digest = known.digest if told.count is None and known is not None else told.digest
    return DriftStatus(told.count, told.differences, digest, told.message, now)


def is_news(before: DriftStatus | None, now: DriftStatus | None) -> bool:
    """Whether something else differs than the last time that it was compared."""
    if now is None or now.count is None:
        return False
    return now.digest != (before.digest if before is not None else "")


def drift_line(drift: DriftStatus) -> str:
    """``2 differences between the database and the models: column a is …; table b is …``."""
    if drift.count is None:
        return f"not compared with the models: {drift.message.rstrip('.')}"
    told = drift.differences[:SHOWN]
    more = f"; and {drift.count - len(told)} more" if told and drift.count > len(told) else ""
    number = f"{drift.count} difference{'' if drift.count == 1 else 's'}" if drift.count else "no difference"
    listed = f": {'; '.join(told)}{more}" if told else ""
    partly = f" (not all was compared: {drift.message.rstrip('.')})" if drift.message else ""
    return f"{number} between the database and the models{partly}{listed}"
