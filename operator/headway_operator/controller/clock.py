"""The one place where the operator reads the clock; everything else is handed the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 — this is that one place
