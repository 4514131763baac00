"""Values of settings that are times, as PostgreSQL reads them."""

import re

_UNITS_MS = {
    "": 1.0,
    "us": 0.001,
    "ms": 1.0,
    "s": 1000.0,
    "min": 60_000.0,
    "h": 3_600_000.0,
    "d": 86_400_000.0,
}
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d|)\s*$")


def milliseconds(value: str | None) -> int:
    """A time-out in milliseconds; 0 for none, for the server's own, and for what is no time."""
    found = _TIME.match(value or "")
    return 0 if found is None else int(float(found[1]) * _UNITS_MS[found[2]])
