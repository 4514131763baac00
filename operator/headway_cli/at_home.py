"""The operator's sentences, said to somebody without a cluster: no kubectl, no annotation. Pure.

The next steps of reasons are replaced as whole sentences, so a reason that is added later is found here by its test.
"""

from headway_contract.failures import FAILURES
from headway_operator.api.reasons import REASONS
from headway_operator.planner.gates import IS_PAUSED

AGAIN = "Mend that, then run the same command again."
STEPS = {
    "AuthenticationFailed": "Correct the user or the password, then run the same command again.",
    "RevisionFailed": "Correct the revision and run the same command again; revisions before it stay applied.",
    "PlanChanged": "Run the same command again: it plans anew.",
    "DriverMissing": "Install one beside the project (psycopg for PostgreSQL), or name the installed one in the URL.",
}


def at_home(text: str, migration_name: str) -> str:
    """The text with next steps that can be taken on this machine."""
    steps = {one.name: one.next_step for one in FAILURES} | {one.name: one.next_step for one in REASONS}
    for name, step in steps.items():
        if name in STEPS or "kubectl" in step:
            text = text.replace(step.replace("NAME", migration_name), STEPS.get(name, AGAIN))
    return text.replace(IS_PAUSED, "it was asked to stop")
