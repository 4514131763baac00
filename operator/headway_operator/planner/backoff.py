"""How long to wait before a call to the outside is made again. Pure.

Full jitter (Brooker, "Exponential Backoff And Jitter"): anything from nothing to a bound that doubles, so that calls
that failed together do not come back together. The dice are the message's id and the attempt, so a restart throws the
same.
"""

import hashlib
from datetime import timedelta

FIRST = timedelta(seconds=2)
LONGEST = timedelta(minutes=5)


def pause_before_next(message: str, attempts: int, asked: float | None = None) -> timedelta:
    """After so many attempts (at least one). ``asked``: seconds of a ``Retry-After``, which come on top."""
    bound = min(LONGEST, FIRST * (1 << min(attempts - 1, 20)))
    return timedelta(seconds=asked or 0.0) + bound * _dice(message, attempts)


def _dice(message: str, attempt: int) -> float:
    """From 0 to below 1."""
    digest = hashlib.sha256(f"{message} {attempt}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
