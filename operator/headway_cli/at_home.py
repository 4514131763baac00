"""The operator's sentences, said to somebody without a cluster: no kubectl, Secret, image or Job. Pure.

The meanings and next steps of reasons are replaced as whole sentences: by those of ``HERE``, else by the same
sentence with the project in place of the image. Its test walks all reasons, so one that is added later is found.
"""

import re
from collections.abc import Iterator

from headway_cli.intake import GIVEN_URLS
from headway_contract.failures import FAILURES
from headway_operator.api.reasons import REASONS, reason_of
from headway_operator.planner.gates import IS_SUSPENDED
from headway_operator.planner.review import where_all_are

AGAIN = "Mend that, then run the same command again."
HERE = {
    "BadRequest": "This is a defect of headway: please report it with the log.",
    "OldPython": "Name a newer interpreter that has the project's packages: --python PROGRAM.",
    "AlembicMissing": "Name the interpreter of the project's environment (--python .venv/bin/python), or install "
    "alembic into this one.",
    "ProjectNotFound": "Name the project's folder with --project, its file and section in spec.alembic; "
    "script_location there names the folder of env.py.",
    "ProjectFailed": "Run 'alembic current' in the project's folder: it shows the same at more length.",
    "InvalidUrl": "Correct the URL: postgresql://user:password@host:port/name, special characters percent-encoded.",
    "DriverMissing": "Install one beside the project (psycopg for PostgreSQL), or name the installed one in the URL.",
    "DatabaseUnreachable": "Check that it is up, and the host and port of its URL.",
    "AuthenticationFailed": "Correct the user or the password, then run the same command again.",
    "UnknownTarget": "Correct the target, or check out the version of the project that contains it.",
    "DatabaseAhead": "Check out the version of the project that contains it, or set whenAhead to Accept if this "
    "version can live with it.",
    "CannotDowngrade": "Use the newer version of the project with spec.target set to the older revision and "
    "whenAhead: Downgrade; then go back to this one.",
    "PlanChanged": "Run the same command again: it plans anew.",
    "RevisionFailed": "Correct the revision and run the same command again; revisions before it stay applied.",
    "WaitingForApproval": "Look at the plan, then name its digest: --approve DIGEST",
    "DeadlineExceeded": "Raise it, then run the same command again: it goes on from the last committed revision.",
    "PodFailed": "Look at its log; was it killed, and is the interpreter a Python?",
}
"""The next steps that are others here."""
_OF_THE_RUN = {
    IS_SUSPENDED: "it was asked to stop",
    where_all_are("NAME"): "All, each with its safe form: headway plan FILE.",
    "spec.job.envFrom or the image": "spec.job.envFrom, the environment or the project",
    "No URL was given for this database,": "No URL was given for this database (with --url DATABASE=URL),",
}
"""Sentences of the planner and the runner that stand in no table."""
_GIVEN = re.compile(rf"comes from key (\S+) of Secret {GIVEN_URLS}\b")
_WORDS = (
    ("The Job's pod", "The runner's process"),
    ("The plan Job", "The plan's process"),
    ("the Job's log", "its log"),
    ("The Job ", "The runner "),
    ("The image", "The project"),
    ("the image", "the project"),
    ("this image", "this project"),
)


def at_home(text: str, migration_name: str) -> str:
    """The text with next steps that can be taken on this machine."""
    for sentence, here in _sentences(migration_name):
        text = text.replace(sentence, here)
    for there, here in _OF_THE_RUN.items():
        text = text.replace(there.replace("NAME", migration_name), here)
    return _GIVEN.sub(r"was given with --url \1=…", text)


def _sentences(migration_name: str) -> Iterator[tuple[str, str]]:
    """Each sentence of the tables that is another one here; the longest first, as one may contain another."""
    pairs = []
    for one in (*map(reason_of, (failure.name for failure in FAILURES)), *REASONS):
        step = HERE.get(one.name) or (AGAIN if "kubectl" in one.next_step else _reworded(one.next_step))
        named = one.next_step.replace("NAME", migration_name)
        pairs += [(one.meaning, _reworded(one.meaning)), (one.next_step, step), (named, step)]
    changed = {pair for pair in pairs if pair[0] != pair[1]}
    yield from sorted(changed, key=lambda pair: (-len(pair[0]), pair))


def _reworded(sentence: str) -> str:
    for there, here in _WORDS:
        sentence = sentence.replace(there, here)
    return sentence
