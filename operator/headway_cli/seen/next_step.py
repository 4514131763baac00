"""What to do next, where a person is asked for: as the tables of reasons say it, with the commands of the program."""

from __future__ import annotations

import re

from headway_contract.failures import next_step_after
from headway_operator.api.migration import Migration
from headway_operator.api.reasons import reason_of
from headway_operator.api.status import Condition, DatabasePhase

_RETRY = "kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite"
_RESUME = "kubectl annotate dbmig NAME headway.dev/paused-"
_LOG = re.compile(r"\bthe (?:Job|pod)'s log\b")
DO_WHAT_IT_SAYS = "Do what the message says."


def next_step(migration: Migration) -> str:
    """'' where nobody is asked for, or no operator has seen what is there now."""
    status = migration.status
    if status.observed_generation < migration.generation:
        return ""
    succeeded = status.condition("Succeeded")
    if succeeded is None or succeeded.status == "True":
        return ""
    has_failed = succeeded.status == "False"
    return _typed(_after(succeeded) if has_failed else reason_of(succeeded.reason).next_step, migration)


def _after(failure: Condition) -> str:
    """Also how the next run is started, where what is mended does not start it."""
    reason = reason_of(failure.reason)
    step = next_step_after(reason.name, reason.next_step, failure.message) or DO_WHAT_IT_SAYS
    is_outside = reason.is_outside or step == DO_WHAT_IT_SAYS
    return f"{step} Then: {_RETRY}" if is_outside and _RETRY not in step else step


def _typed(step: str, migration: Migration) -> str:
    """As this program is told it; the log is that of the database that failed."""
    failed = [one.name for one in migration.status.databases if one.phase is DatabasePhase.FAILED]
    logs = " ".join(("headway logs NAME", *failed[:1]))
    step = step.replace(_RETRY, "headway retry NAME").replace(_RESUME, "headway resume NAME")
    return _LOG.sub(rf"\g<0> ({logs})", step).replace("NAME", migration.name)
