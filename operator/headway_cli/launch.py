"""From checked input to the end of a run: prepares a folder, runs the session, prints the last words."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headway_cli.approving import approved, is_approved
from headway_cli.at_home import at_home
from headway_cli.console import Console
from headway_cli.documents import Document
from headway_cli.ending import Ending
from headway_cli.hook_calls import check_hooks, hook_sender
from headway_cli.intake import Intake, Options, take_in
from headway_cli.nearby import with_short_pauses
from headway_cli.outputs import ReadOutput, output_for
from headway_cli.problems import BadInput, Defect, Problem
from headway_cli.secrecy import mask_for
from headway_cli.session import SETTINGS, Session
from headway_cli.unread import Unread
from headway_operator.api.conditions import State
from headway_operator.api.migration import parse
from headway_operator.cluster.interface import Invalid
from headway_operator.cluster.local import Site
from headway_operator.cluster.local_process import resolved_environment
from headway_operator.controller.clock import utc_now
from headway_operator.controller.masked_log import MaskedFormatter, log_to_stderr
from headway_operator.manifests.job import job_for
from headway_operator.planner.actions import StartJob
from headway_operator.planner.gates import first_block
from headway_operator.planner.snapshot import Stage
from headway_runner.inject import inject

NO_WORKLOADS = (
    "spec.postDeploy.waitFor is not asked without a cluster: what waits for the rollout runs right after the rest; "
    "--before-deploy leaves it"
)
EXIT_SUCCEEDED = 0
EXIT_FAILED = 1
EXIT_NEEDS_APPROVAL = 3
EXIT_INTERRUPTED = 130
FOLDER = "headway-run-"
KEPT_SECONDS = 7 * 86400
"""How long the logs of a failure stay, and what a run that was killed has left."""


@dataclass(frozen=True)
class Outcome:
    """The exit code and what there is to say about it."""

    exit_code: int
    ending: Ending


def launch(documents: Sequence[Document], options: Options, output: str, command: Sequence[str]) -> Outcome:
    """Run it; raises :class:`BadInput` before anything is touched. ``command`` would run the same again.

    With ``options.approve`` it goes on beyond a plan that needs an approval and has this digest, or this beginning of
    it; on a terminal a person is asked.
    """
    intake = take_in(documents, options)
    intake = with_short_pauses(intake, _check(intake))
    for skipped in intake.skipped:
        print(f"note: {skipped} is not needed here and is left alone", file=sys.stderr)
    if intake.asks_no_workload:
        print(f"note: {NO_WORKLOADS}", file=sys.stderr)
    outcome = _launch(intake, output, command)
    digest = outcome.ending.digest_to_approve
    if not digest or not is_approved(digest, options.approve, outcome.ending.taken_back):
        return outcome
    return _launch(approved(intake, digest), output, command)


def _launch(intake: Intake, output: str, command: Sequence[str]) -> Outcome:
    forget_old_folders(Path(tempfile.gettempdir()), time.time())
    folder = Path(tempfile.mkdtemp(prefix=FOLDER))
    outcome = None
    try:
        outcome = _run(intake, folder, output, command)
    finally:
        _clean(folder, keep_logs=outcome is not None and outcome.exit_code == EXIT_FAILED)
    return outcome


def _check(intake: Intake) -> Mapping[str, str]:
    """What the planner or the first Job would refuse is refused before anything starts; what a Job will see."""
    migration = parse(intake.resource)
    blocked = first_block(migration)
    if blocked is not None:
        what = "cannot be run" if blocked.state is State.FAILED else "would never start"
        raise BadInput(Problem(intake.where, "", what, blocked.message))
    assert migration.spec is not None
    check_hooks(migration.spec, intake.where)
    return check_sources(intake)


def check_sources(intake: Intake) -> Mapping[str, str]:
    """The variables of its Jobs; raises :class:`BadInput` when a Secret or ConfigMap that they need is missing."""
    plan = StartJob("check", "check", "check", Stage.PLAN, "", 1)
    try:
        return resolved_environment(job_for(plan, parse(intake.resource), SETTINGS), intake.sources)
    except Invalid as missing:
        advice = "Add it to a file given with -f, or name the database's URL: --url DATABASE=URL"
        raise BadInput(Problem(intake.where, "", str(missing), advice)) from None


def _run(intake: Intake, folder: Path, choice: str, command: Sequence[str]) -> Outcome:
    inject(folder / "runner")
    site = Site(folder / "runner", folder, intake.sources, dict(os.environ), utc_now)
    mask, name = mask_for(intake.sources, os.environ), intake.resource["metadata"]["name"]
    output = ReadOutput(output_for(choice, Console(), lambda text: mask(at_home(text, name)), utc_now))
    log_to_stderr("WARNING", MaskedFormatter(mask))
    try:
        ending = asyncio.run(_session(intake, site, output))
        output.conclude(ending, command)
    except Unread:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, its traceback may show a Secret
        raise Defect(mask(traceback.format_exc())) from None
    if ending.succeeded:
        return Outcome(EXIT_SUCCEEDED, ending)
    if ending.digest_to_approve:
        return Outcome(EXIT_NEEDS_APPROVAL, ending)
    return Outcome(EXIT_INTERRUPTED if ending.interrupted else EXIT_FAILED, ending)


async def _session(intake: Intake, site: Site, output: ReadOutput) -> Ending:
    async with hook_sender(intake.resource["spec"]) as sender:
        session = Session(
            intake.resource, site, output, utc_now, sender, stops_at_the_gate=intake.stops_at_the_gate
        )
        output.when_unread = session.interrupt
        with output:
            ending = await session.run()
            output.show(ending.board)
    return ending


def forget_old_folders(parent: Path, now: float) -> None:
    """Those of this user in which nothing was written for a week; a run that goes on writes all the time."""
    for folder in parent.glob(f"{FOLDER}*"):
        with suppress(FileNotFoundError):
            newest = max(one.lstat().st_mtime for one in (folder, *folder.rglob("*")))
            if folder.stat().st_uid == os.getuid() and now - newest > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _clean(folder: Path, keep_logs: bool) -> None:
    """The folder goes, except for the logs of a failure."""
    if not keep_logs:
        shutil.rmtree(folder, ignore_errors=True)
        return
    shutil.rmtree(folder / "runner", ignore_errors=True)
    for volumes in folder.glob("*/volumes"):
        shutil.rmtree(volumes, ignore_errors=True)
