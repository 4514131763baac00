"""How many states the tests look at that try many: by ``HYPOTHESIS_PROFILE``.

``quick``, as in `make unit`: a twentieth of random ones. Unset, as in `make test`: the usual number.
``thorough``: as many as help.
"""

from __future__ import annotations

import os

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "")
QUICK = PROFILE == "quick"
THOROUGH = PROFILE == "thorough"


def examples(usual: int, thorough: int = 0) -> int:
    """So many in this run; without a number of its own, what is thorough is as usual."""
    if QUICK:
        return max(usual // 20, 4)
    return thorough if THOROUGH and thorough else usual


# A deadline per example would be a timing assertion.
settings.register_profile("headway", max_examples=examples(100), deadline=None, print_blob=True)
settings.load_profile("headway")
