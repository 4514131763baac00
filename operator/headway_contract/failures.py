"""The one table of failure classes: name, exit code, whether another attempt helps, what it means, what to do.

The runner names a class, the operator and the command line show its sentence and next step. An unknown name
(a newer runner) reads as ``Unexpected``.
"""

from headway_contract.exit_codes import ExitCode
from headway_contract.records import dataclass


@dataclass(frozen=True)
class FailureClass:
    """One way in which a run fails; ``name`` is also the reason in conditions."""

    name: str
    exit_code: ExitCode
    retry: bool
    meaning: str
    next_step: str
    is_outside: bool = False
    """What mends it may lie outside of the resource and its image: then only a retry starts the next run."""


FAILURES: tuple[FailureClass, ...] = (
    FailureClass(
        "BadRequest",
        ExitCode.BAD_REQUEST,
        False,
        "The runner could not use what it was asked.",
        "Use an operator and a runner image of the same release.",
        is_outside=True,
    ),
    FailureClass(
        "OldPython",
        ExitCode.OLD_PYTHON,
        False,
        "The image's Python is older than 3.10.",
        "Build the image on Python 3.10 or newer, or name another interpreter in spec.alembic.python.",
    ),
    FailureClass(
        "AlembicMissing",
        ExitCode.MISCONFIGURED,
        False,
        "The interpreter that was to run the migration has no Alembic.",
        "Name the interpreter of the project's environment in spec.alembic.python (such as "
        "/app/.venv/bin/python), or install alembic into the image.",
    ),
    FailureClass(
        "ProjectNotFound",
        ExitCode.MISCONFIGURED,
        False,
        "There is no usable Alembic project where the run looked for it.",
        "Set spec.alembic.workingDir, config and section to the folder, file and section that hold it; "
        "script_location there names the folder of env.py.",
    ),
    FailureClass(
        "ProjectFailed",
        ExitCode.MISCONFIGURED,
        False,
        "The project's env.py, or its configuration, failed before a revision ran.",
        "Run 'alembic current' in the same image with the same environment; the message names what failed.",
        is_outside=True,
    ),
    FailureClass(
        "InvalidUrl",
        ExitCode.MISCONFIGURED,
        False,
        "The database URL cannot be read.",
        "Correct the Secret: postgresql://user:password@host:port/name, special characters percent-encoded.",
        is_outside=True,
    ),
    FailureClass(
        "DriverMissing",
        ExitCode.MISCONFIGURED,
        False,
        "The image has no driver for this database URL.",
        "Install one in the image (psycopg for PostgreSQL), or name the installed one in the URL.",
        is_outside=True,
    ),
    FailureClass(
        "DatabaseUnreachable",
        ExitCode.UNAVAILABLE,
        True,
        "The database could not be reached.",
        "Check that it is up, the host and port of its URL, and the network policies.",
        is_outside=True,
    ),
    FailureClass(
        "ConnectionLost",
        ExitCode.UNAVAILABLE,
        True,
        "The connection to the database was lost during the run.",
        "Look at the database's log; the next attempt goes on from the last committed revision.",
        is_outside=True,
    ),
    FailureClass(
        "AuthenticationFailed",
        ExitCode.REFUSED,
        False,
        "The database refused the user or the password.",
        "Correct the Secret, then retry: kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite",
        is_outside=True,
    ),
    FailureClass(
        "DatabaseDoesNotExist",
        ExitCode.REFUSED,
        False,
        "There is no database of this name.",
        "Create it, or correct the name in the URL.",
        is_outside=True,
    ),
    FailureClass(
        "PermissionDenied",
        ExitCode.REFUSED,
        False,
        "The database user may not do what the revision does.",
        "Grant the permission, or run with the user that owns the schema.",
        is_outside=True,
    ),
    FailureClass(
        "MultipleHeads",
        ExitCode.BAD_HISTORY,
        False,
        "The history has more than one head, so 'head' is ambiguous.",
        "Set target to 'heads' or '<label>@head', or join them with 'alembic merge'.",
    ),
    FailureClass(
        "UnknownTarget",
        ExitCode.BAD_HISTORY,
        False,
        "The image does not contain the target revision.",
        "Correct spec.target, or use the image that contains it.",
    ),
    FailureClass(
        "InvalidTarget",
        ExitCode.BAD_HISTORY,
        False,
        "The target cannot be reached from where the database is.",
        "Name a revision, '<label>@head' or 'heads'.",
    ),
    FailureClass(
        "InvalidHistory",
        ExitCode.BAD_HISTORY,
        False,
        "The revision files cannot be loaded, or do not form a history.",
        "Correct the file that the message names; 'alembic history' in the project shows the same.",
    ),
    FailureClass(
        "DatabaseAhead",
        ExitCode.BAD_HISTORY,
        False,
        "The database is at a revision that this image does not contain.",
        "Roll out the image that contains it, or set whenAhead to Accept if the older application can live with it.",
    ),
    FailureClass(
        "CannotDowngrade",
        ExitCode.BAD_HISTORY,
        False,
        "The image does not contain the revision that the database is at, so it cannot downgrade it.",
        "Use the newer image with spec.target set to the older revision and whenAhead: Downgrade; "
        "then put this image back.",
    ),
    FailureClass(
        "PlanChanged",
        ExitCode.BAD_HISTORY,
        False,
        "What would run now is not what the plan showed, so it was not run.",
        "Plan again: kubectl annotate dbmig NAME headway.dev/retry=$(date +%s) --overwrite. "
        "An image that is named by its digest cannot change between plan and run.",
        is_outside=True,
    ),
    FailureClass(
        "WrongDatabase",
        ExitCode.MISCONFIGURED,
        False,
        "env.py connected to another database than the one requested; nothing was written.",
        "Let env.py use the URL it is given (sqlalchemy.url), or export it with databases[].urlEnv.",
    ),
    FailureClass(
        "PoolerDetected",
        ExitCode.MISCONFIGURED,
        False,
        "There is a transaction pooler between the runner and the database, so no lock can be held.",
        "Give the URL of the database itself.",
        is_outside=True,
    ),
    FailureClass(
        "NeverConfigured",
        ExitCode.MISCONFIGURED,
        False,
        "env.py ended without running any migration context.",
        "env.py must call context.configure() and context.run_migrations() when Alembic loads it.",
    ),
    FailureClass(
        "LockHeld",
        ExitCode.BUSY,
        True,
        "Another run holds this database's migration lock.",
        "Wait for it, or find its session in pg_locks (locktype = 'advisory').",
        is_outside=True,
    ),
    FailureClass(
        "LockTimeout",
        ExitCode.BUSY,
        True,
        "A table lock could not be had in time; nothing of the revision was applied.",
        "Find the session that blocks it (pg_blocking_pids), or raise spec.locks.giveUpAfterSeconds.",
        is_outside=True,
    ),
    FailureClass(
        "RevisionFailed",
        ExitCode.MIGRATION_FAILED,
        False,
        "A revision failed.",
        "Correct the revision and build a new image; revisions before it stay applied.",
    ),
    FailureClass(
        "PartiallyApplied",
        ExitCode.MIGRATION_FAILED,
        False,
        "A revision failed after a part of it had been committed.",
        "Undo the part by hand or make the revision re-entrant; the message names what stayed.",
        is_outside=True,
    ),
    FailureClass(
        "NotPersisted",
        ExitCode.MIGRATION_FAILED,
        False,
        "Alembic reported success, but the database does not have the revisions.",
        "Look in env.py for statements run before context.configure(), or swallowed exceptions.",
    ),
    FailureClass(
        "Swallowed",
        ExitCode.MIGRATION_FAILED,
        False,
        "A revision, or a migration context, was started and never finished, and env.py hid the reason.",
        "Let env.py raise the exception; the message has what was seen of it.",
    ),
    FailureClass(
        "CommandNotFound",
        ExitCode.MISCONFIGURED,
        False,
        "The program that spec.command names is not in the image, or cannot be executed.",
        "Correct spec.command: the first item is a program on the image's PATH or beside spec.alembic.python; "
        "no shell is involved.",
    ),
    FailureClass(
        "NeverAttached",
        ExitCode.MISCONFIGURED,
        False,
        "The command ended, and Headway never saw an Alembic in it: whatever it did is not known.",
        "Let it call 'alembic upgrade' in a Python that keeps PYTHONPATH (no -I, -E or -S, no cleared environment), "
        "or leave spec.command out. One that upgrades only when it must has to ask Alembic for the heads "
        "(MigrationContext and ScriptDirectory), not the table.",
    ),
    FailureClass(
        "CommandFailed",
        ExitCode.UNAVAILABLE,
        True,
        "The application's command failed outside of Alembic, before it was done.",
        "Look at the Job's log for what the application says; the next attempt goes on from the last revision.",
        is_outside=True,
    ),
    FailureClass(
        "CommandFailedAfterwards",
        ExitCode.MIGRATION_FAILED,
        False,
        "All revisions are applied, but the application's command failed in what it does after them.",
        "Look at the Job's log and do that part by hand: for another run there is nothing left but to look.",
        is_outside=True,
    ),
    FailureClass(
        "Unexpected",
        ExitCode.MIGRATION_FAILED,
        False,
        "The run ended in a way that has no name yet.",
        "Look at the Job's log.",
        is_outside=True,
    ),
)

_BY_NAME = {failure.name: failure for failure in FAILURES}


def next_step_after(name: str, next_step: str, happened: str) -> str:
    """The class's next step, "" where what happened says itself what to do: operations of ours tell whoever is to
    run their revision again what to do before, and the revision is not to be corrected then.
    """
    tells_it = name == "RevisionFailed" and "run the revision again" in happened.lower()
    return "" if tells_it else next_step


def failure_class(name: str) -> FailureClass:
    """The class of this name; a name from a newer runner reads as ``Unexpected``."""
    return _BY_NAME.get(name, _BY_NAME["Unexpected"])
