"""What people and programs read of a run, rendered without running anything."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from headway_cli.board import Spans, board_of
from headway_cli.ending import Ending
from headway_cli.live import LiveTable
from headway_cli.outputs import JsonOutput, LiveOutput, PlainOutput, ReadOutput, output_for
from headway_cli.report import Item, item_of_event, items_of_status
from headway_cli.secrecy import mask_for
from headway_cli.summary import last_pass, summary, without_library_frames, without_repetition
from headway_cli.unread import Unread
from headway_contract import events
from headway_contract.wire import Envelope, to_line
from headway_operator.api.status import (
    Condition,
    DatabasePhase,
    DatabaseStatus,
    DriftStatus,
    PlanStatus,
    Run,
    Status,
)
from headway_operator.cluster.local_process import Sources
from headway_operator.planner.snapshot import JobProgress

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOW = START + timedelta(seconds=75)
DONE = DatabaseStatus(
    "main",
    DatabasePhase.SUCCEEDED,
    "c3",
    "c3",
    3,
    3,
    job_name="shop-main-1",
    attempt=1,
    start_time="2026-11-23T08:00:00Z",
)
BUSY = DatabaseStatus(
    "analytics", DatabasePhase.MIGRATING, "a1", "a4", 0, 3, job_name="shop-analytics-1", attempt=1,
    start_time="2026-11-23T08:00:00Z",
)  # fmt: skip
FAILED = DatabaseStatus(
    "audit", DatabasePhase.FAILED, "", "e1", 0, 1, reason="RevisionFailed", message="A revision failed. Correct it.",
    job_name="shop-audit-1", attempt=1,
)  # fmt: skip
PENDING = DatabaseStatus("audit")


def status(*databases, phase="Migrating", ready=("Unknown", "Migrating")):
    condition = Condition("Ready", ready[0], ready[1], "3 databases at the target")
    return Status(1, phase, run=Run("1234abcd"), databases=databases, conditions=(condition,))


def board(now=NOW, live=(), **more):
    shown = status(DONE, BUSY, PENDING, **more)
    spans = Spans(START, {}).after(shown, START)
    names = ("main", "analytics", "audit")
    return board_of("shop", names, shown, {one.job_name: one for one in live}, spans, now, 4)


def drawn(board, width=120, **options):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, **options)
    console.print(LiveTable().draw(board, width))
    return console.file.getvalue()


def lines(text):
    return [line.rstrip() for line in text.splitlines()]


def test_the_table_has_a_row_for_each_database_that_tells_how_far_it_is():
    live = JobProgress("shop-analytics-1", 5, ("a2",), "a3", 1, 3, "revision 2 of 3, a3: Fill it")
    header, _, main, analytics, audit, _, telling = lines(drawn(board(live=(live,)), color_system=None))
    assert header.split() == [
        "shop",
        "run",
        "1234abcd",
        "Migrating",
        "1/3",
        "databases",
        "4/6",
        "revisions",
        "1:15",
    ]
    assert main.split()[:3] == ["✓", "main", "done"]
    assert main.split()[-3:] == ["3/3", "c3", "0:00"]
    assert analytics.split()[-5:] == ["1/3", "a2", "→", "a4", "1:15"]
    assert audit.split()[:3] == ["·", "audit", "pending"]
    assert telling == "analytics: revision 2 of 3, a3: Fill it"


def test_the_table_fits_a_narrow_terminal():
    assert all(len(line) <= 60 for line in lines(drawn(board(), width=60, color_system=None)))


LONG = replace(
    FAILED, message="Revision e1 failed: no such table: the_orders. " + "It is somewhere else. " * 4
)


def test_what_a_database_says_is_broken_between_words_and_goes_on_in_the_next_line():
    shown = status(BUSY, LONG)
    table = board_of("shop", ("analytics", "audit"), shown, {}, Spans(START, {}), NOW, 4)
    *_, first, second = lines(drawn(table, width=80, color_system=None))
    assert first.startswith("audit: Revision e1 failed: no such table: the_orders. It is somewhere else.")
    assert f"{first} {second.strip()}" == f"audit: {LONG.message.strip()}"


def test_what_is_far_too_long_ends_at_a_word():
    shown = status(BUSY, replace(LONG, message="somewhere " * 90))
    table = board_of("shop", ("analytics", "audit"), shown, {}, Spans(START, {}), NOW, 4)
    *_, last = lines(drawn(table, width=80, color_system=None))
    assert last.endswith("somewhere …")


def live(*items, width=80):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    output = LiveOutput(console, str)
    for item in items:
        output.tell(item)
    return output, console.file


def test_a_failure_is_said_once_on_the_last_screen(tmp_path):
    ending = ended(tmp_path)
    over = replace(ending.status, run=Run("1234abcd", completion_time="2026-11-23T08:01:15Z"))
    names = ("main", "analytics", "audit")
    ending = replace(ending, status=over, board=board_of("shop", names, over, {}, Spans(START, {}), NOW, 4))
    output, screen = live()
    with output:
        output.show(ending.board)
    output.conclude(ending, ())
    assert screen.getvalue().count("A revision failed.") == 1


def test_the_last_words_are_broken_between_words_but_what_is_to_be_copied_is_one_line(tmp_path):
    ending = ended(tmp_path)
    told = replace(ending.status, databases=(DONE, BUSY, LONG))
    command = (
        "headway",
        "run",
        "migration.yaml",
        "--url",
        "main=env:THE_URL_OF_THE_MAIN_DATABASE",
        "--project",
        "shop",
    )
    output, screen = live()
    output.conclude(replace(ending, status=told), command)
    said = screen.getvalue().splitlines()
    assert f"  {' '.join(command)}" in said
    start = next(n for n, line in enumerate(said) if line.startswith("audit (RevisionFailed)"))
    told_lines = said[start : start + 3]
    assert all(len(line) <= 80 for line in told_lines)
    assert " ".join(line.strip() for line in told_lines).startswith(
        f"audit (RevisionFailed): {LONG.message.strip()}"
    )


def test_what_is_waited_for_is_said_whole_at_once_and_once_with_the_way_out():
    due = (NOW + timedelta(seconds=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    away = PlanStatus(
        attempt=1, failures=1, reason="DatabaseUnreachable", message="It is away. Start it.", retry_time=due
    )
    first, second = (
        Status(run=Run("1"), plan=away),
        Status(run=Run("1"), plan=replace(away, attempt=2, failures=2)),
    )
    items = (*items_of_status(Status(run=Run("1")), first, 4), *items_of_status(first, second, 4))
    assert [item.kind for item in items] == ["Retrying", "Retrying"]
    _, screen = live(*items)
    assert screen.getvalue() == "It is away. Start it. It is tried again; Ctrl-C gives it up.\n"
    table = board_of("shop", (), first, {}, Spans(START, {}), NOW, 4)
    assert table.note == "attempt 2 of 4 in 7 s: It is away. Start it."


def test_no_color_is_respected(monkeypatch):
    assert "\x1b[32m" in drawn(board(), color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in drawn(board(), color_system="standard")


def test_progress_of_a_later_attempt_counts_from_where_the_run_began():
    live = JobProgress("shop-analytics-1", 5, ("a3",), "a4", 0, 1)
    assert board(live=(live,)).rows[1].done == 2


def plain(*items):
    console = Console(file=io.StringIO(), width=20)
    output = PlainOutput(console, str, lambda: NOW)
    for item in items:
        output.tell(item)
    return console.file.getvalue()


class Closed(PlainOutput):
    """Into a pipe whose reader ends after the first line."""

    def tell(self, item):
        if self._console.file.getvalue():
            raise BrokenPipeError
        super().tell(item)


def test_what_nobody_reads_is_told_to_the_run_once_and_ends_in_silence(tmp_path):
    screen, gone = io.StringIO(), []
    output = ReadOutput(Closed(Console(file=screen), str, lambda: NOW))
    output.when_unread = lambda: gone.append("gone")
    with output:
        for text in ("first", "second", "third"):
            output.tell(Item("Notice", text))
    assert gone == ["gone"]
    with pytest.raises(Unread):
        output.conclude(ended(tmp_path), ())
    assert screen.getvalue() == "2026-11-23T08:01:15Z first\n"


def test_a_plain_line_is_never_broken():
    message = "a long message " * 20
    assert plain(Item("Notice", message, "main")) == f"2026-11-23T08:01:15Z main: {message}\n"


def test_plain_lines_leave_out_what_the_next_line_says():
    assert plain(Item("RevisionStarted", "applying", "main")) == ""


def test_a_json_line_is_an_object_with_its_details():
    console = Console(file=io.StringIO(), width=20)
    JsonOutput(console, str, lambda: NOW).tell(
        Item("RevisionApplied", "applied “x” [1/2]", "main", {"index": 1})
    )
    assert json.loads(console.file.getvalue()) == {
        "time": "2026-11-23T08:01:15Z",
        "kind": "RevisionApplied",
        "message": "applied “x” [1/2]",
        "database": "main",
        "index": 1,
    }


@pytest.mark.parametrize(
    ("choice", "terminal", "kind"),
    [
        ("auto", True, LiveOutput),
        ("auto", False, PlainOutput),
        ("plain", True, PlainOutput),
        ("json", True, JsonOutput),
        ("live", False, LiveOutput),
    ],
)
def test_the_output_is_chosen_by_what_it_goes_to(choice, terminal, kind):
    console = Console(file=io.StringIO(), force_terminal=terminal)
    assert type(output_for(choice, console, str, lambda: NOW)) is kind


def kinds(old, new):
    return [(item.kind, item.database) for item in items_of_status(old, new, 4)]


def test_each_change_of_a_status_is_told_once():
    before, after = status(BUSY, PENDING), status(BUSY, FAILED)
    assert kinds(Status(), before) == [("RunStarted", ""), ("DatabaseStarted", "analytics")]
    assert kinds(before, after) == [("DatabaseFailed", "audit")]
    assert kinds(after, after) == []


def test_a_further_attempt_is_told_with_how_many_there_are():
    again = replace(BUSY, attempt=3, failures=1)
    old, new = status(replace(BUSY, phase=DatabasePhase.WAITING, failures=1)), status(again)
    assert [item.message for item in items_of_status(old, new, 4)] == ["started, attempt 2 of 4"]
    progress = JobProgress("shop-analytics-1", message="revision 1 of 3, a2")
    shown = board_of("shop", ("analytics",), new, {progress.job_name: progress}, Spans(START, {}), NOW, 4)
    assert shown.rows[0].message == "attempt 2 of 4: revision 1 of 3, a2"


def test_a_wait_says_which_attempt_follows_and_when():
    due = (NOW + timedelta(seconds=7)).strftime("%Y-%m-%dT%H:%M:%SZ")
    waits = replace(BUSY, phase=DatabasePhase.WAITING, failures=2, retry_time=due, message="It is away.")
    shown = board_of("shop", ("analytics",), status(waits), {}, Spans(START, {}), NOW, 4)
    assert shown.rows[0].message == "attempt 3 of 4 in 7 s: It is away."
    (item,) = items_of_status(status(BUSY), status(waits), 4)
    assert item.message == f"attempt 3 of 4 at {due}: It is away."


def test_what_a_database_found_done_is_told():
    done = replace(
        DONE, message="1 revision applied; 2 of the 3 planned were there by then", revisions_done=1
    )
    (item,) = items_of_status(status(BUSY), status(BUSY, done), 4)
    assert item.message == "done: 1 revision applied; 2 of the 3 planned were there by then, now at c3"


def test_a_plan_that_is_tried_again_is_told():
    old = Status(run=Run("1"), plan=PlanStatus(attempt=1))
    new = Status(run=Run("1"), plan=PlanStatus(attempt=1, reason="LockHeld", message="Wait.", retry_time="x"))
    assert kinds(old, new) == [("Retrying", "")]
    assert kinds(new, replace(new, plan=PlanStatus(attempt=2, completion_time="x"))) == [("Planned", "")]


def test_a_plan_that_failed_is_no_plan_of_nothing():
    new = Status(run=Run("1"), plan=PlanStatus(attempt=1, reason="DriverMissing", completion_time="x"))
    assert kinds(Status(run=Run("1")), new) == [("PlanFailed", "")]


def test_a_long_revision_is_not_silent():
    progress = JobProgress("job", message="revision 2 of 3, a3")
    assert item_of_event("main", events.Heartbeat(), progress).message == "working: revision 2 of 3, a3"
    assert item_of_event("main", events.Heartbeat(), JobProgress("job")) is None


def ended(tmp_path, interrupted=False):
    log = tmp_path / "log"
    log.write_text('##headway {"sequence":1}\n' + "\n".join(f"line {n} of hidden-word" for n in range(40)))
    shown = status(DONE, BUSY, FAILED, phase="Failed", ready=("False", "RevisionFailed"))
    table = board_of("shop", ("main", "analytics", "audit"), shown, {}, Spans(START, {}), NOW, 4)
    return Ending(shown, table, interrupted, {"audit": Path(log)})


def words(
    ending, command=("headway", "run", "--url", "main=postgresql://u:hidden-word@h/m"), has_table=False
):
    mask = mask_for(Sources({"s": {"uri": "postgresql://u:hidden-word@h/m"}}))
    return "\n".join(line.plain for line in summary(ending, command, mask, has_table))


def test_a_failure_says_what_happened_what_next_and_where_the_log_is(tmp_path):
    told = words(ended(tmp_path))
    assert "audit (RevisionFailed): A revision failed. Correct it." in told
    assert f"The end of the log {tmp_path / 'log'}:" in told
    assert "  | line 39 of ***" in told
    assert "line 3 of" not in told
    assert "##headway" not in told
    assert "hidden-word" not in told
    assert told.endswith("  headway run --url main=***\n  (put the URL back where it says ***)")


def test_what_differs_from_the_models_is_told_below_the_table_which_has_no_place_for_it(tmp_path):
    drift = DriftStatus(1, ("table hidden-word is in the database and not in the models",))
    ending = ended(tmp_path)
    ending = replace(ending, status=replace(ending.status, databases=(replace(DONE, drift=drift),)))
    told = "main: 1 difference between the database and the models: table *** is in the database"
    assert told in words(ending, has_table=True)
    assert told not in words(ending)


def test_it_is_an_item_of_its_own_once(tmp_path):
    before, after = status(DONE), status(replace(DONE, drift=DriftStatus(0)))
    (told,) = items_of_status(before, after, 4)
    assert (told.kind, told.database) == ("Drift", "main")
    assert items_of_status(after, after, 4) == ()


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    told = words(ended(tmp_path, interrupted=True))
    assert "shop: stopped, 1 of 3 databases done" in told
    assert "To go on from there:\n  headway run" in told
    assert "The end of the log" not in told


@pytest.mark.parametrize(
    "text",
    ["postgresql://u:p%40ss-word@h/m", "p%40ss-word", "p@ss-word", "FATAL for p@ss-word."],
)
def test_a_password_is_masked_in_every_spelling(text):
    mask = mask_for(Sources({"s": {"uri": "postgresql://u:p%40ss-word@h/m"}}))
    assert "ss-word" not in mask(text)
    assert mask("port 5432 of h") == "port 5432 of h"


def test_where_a_database_is_is_no_secret():
    mask = mask_for(Sources({"s": {"dbname": "main", "user": "shop", "password": "main-password"}}))
    assert mask("main: shop has main-password") == "main: shop has ***"


TRACEBACK = """\
INFO starting
Traceback (most recent call last):
  File "/venv/lib/python3.12/site-packages/alembic/command.py", line 487, in upgrade
    script.run_env()
    ^^^^^^^^^^^^^^^^
  File "<frozen importlib._bootstrap_external>", line 940, in exec_module
  File "/app/migrations/versions/broken.py", line 12, in upgrade
    op.execute("ALTER TABLE none")
  File "/tmp/headway-run-1/runner/headway_runner/run/application.py", line 145, in _call
    upgrade(**arguments)
ValueError: 1
"""


def test_of_a_traceback_the_revision_remains():
    assert without_library_frames(TRACEBACK.splitlines()) == [
        "INFO starting",
        "Traceback (most recent call last):",
        '  File "/app/migrations/versions/broken.py", line 12, in upgrade',
        '    op.execute("ALTER TABLE none")',
        "ValueError: 1",
    ]


def test_the_tail_is_of_the_last_pass_and_without_alembic_s_chatter():
    retried = events.PassRetried("main", "LockTimeout", attempt=2, wait_seconds=1.0)
    again = to_line(Envelope(1, "2026-11-23T08:00:00Z", retried))
    chatter = "INFO  [alembic.runtime.migration] Context impl PostgresqlImpl."
    assert last_pass(["first pass", again, chatter, "second pass"]) == ["second pass"]


def test_a_hidden_url_is_to_be_put_back_and_one_of_the_environment_is_printed_as_it_is(tmp_path):
    def told(url):
        command = ("headway", "run", "--url", url)
        ending = Ending(
            Status(), board_of("shop", (), Status(), {}, Spans(NOW, {}), NOW, 4), interrupted=True
        )
        lines = summary(ending, command, lambda text: text.replace("s3cret", "***"), has_table=True)
        return "\n".join(line.plain for line in lines)

    assert "put the URL back where it says ***" in told("main=postgresql://u:s3cret@h/db")
    assert told("main=env:MAIN_URL").endswith("headway run --url main=env:MAIN_URL")


DIGEST = "sha256:2b68"
OF_MAIN = ("headway", "run", "shop.yaml", "--url", "main=postgresql://u:s3cret@h/db")


@pytest.mark.parametrize(
    "command", [OF_MAIN, (*OF_MAIN, "--approve", "1a57"), (*OF_MAIN[:2], "--approve=1a57", *OF_MAIN[2:])]
)
def test_the_command_that_approves_a_plan_is_one_line_with_its_digest_alone(command):
    waits = Condition("Succeeded", "Unknown", "WaitingForApproval", "")
    asked = Status(plan=PlanStatus(DIGEST), conditions=(waits,))
    ending = Ending(asked, board_of("shop", (), asked, {}, Spans(NOW, {}), NOW, 4), interrupted=False)

    def told(command):
        lines = summary(ending, command, lambda text: text.replace("s3cret", "***"), has_table=True)
        return "\n".join(line.plain for line in lines).splitlines()

    assert told(command)[-3:] == [
        "To approve this plan, and no other:",
        f"  headway run shop.yaml --url main=postgresql://u:***@h/db --approve {DIGEST}",
        "  (put the URL back where it says ***)",
    ]
    assert told(())[-1] == f"Its digest is {DIGEST}."


def test_of_the_log_each_error_is_shown_once_and_what_was_told_not_at_all():
    frames = ['  File "/app/migrations/env.py", line 1, in <module>', "    import settings"]
    error = "headway: ModuleNotFoundError: No module named 'settings'"
    ended = (
        "headway: main: ProjectFailed: ModuleNotFoundError: No module named 'settings'. The project's env.py"
    )
    told = "main: ModuleNotFoundError: No module named 'settings'. Run it by hand."
    assert without_repetition([*frames, error, *frames, error, ended], told) == [*frames, error]
    assert without_repetition([error, ended], told) == []
    assert without_repetition(["hello", error, "headway: something else"], told) == [
        "hello", error, "headway: something else",
    ]  # fmt: skip


def test_a_database_that_a_failed_plan_kept_from_starting_was_not_started(tmp_path):
    shown = status(PENDING, phase="Failed", ready=("False", "DatabaseUnreachable"))
    table = board_of("shop", ("audit",), shown, {}, Spans(START, {}), NOW, 4)
    assert "audit  not started" in words(Ending(shown, table, interrupted=False))
