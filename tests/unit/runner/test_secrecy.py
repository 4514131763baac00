"""Where the runner learns what is secret, and that each writer masks what it writes."""

from __future__ import annotations

import asyncio
import os

import pytest
from sqlalchemy import URL, create_engine, event
from sqlalchemy.engine.default import DefaultDialect

from headway_contract.events import DocumentPart, Notice
from headway_contract.masking import Masker
from headway_contract.request import DatabaseRequest, Mode, RunRequest
from headway_contract.result import Failure, Outcome, PendingRevision, RunResult
from headway_contract.wire import from_line, sha256_of
from headway_runner.connections.credentials import learn_connection, learn_what_connects, learned
from headway_runner.main import _end
from headway_runner.modes import plan
from headway_runner.processes.child import Link
from headway_runner.processes.level import Level
from headway_runner.processes.pipes import Receiver, Sender
from headway_runner.processes.streams import EventStream
from headway_runner.processes.task import Inspection, Task
from headway_runner.run.participant import call_guarded
from headway_runner.words import secrecy
from headway_runner.words.secrecy import learn, learn_environment, mask

WRITER = "c4nary-writer"


@pytest.fixture(autouse=True)
def only_the_writer_is_known(monkeypatch):
    """All that is ever learnt is looked for in each text: what other tests have taught is no matter here."""
    monkeypatch.setattr(secrecy._masker, "__dict__", vars(Masker()))
    learn(WRITER)


def is_hidden(secret):
    return mask(f"it is {secret}.") == "it is ***."


def test_the_stream_masks_what_it_writes():
    reading, writing = os.pipe()
    EventStream(writing, lambda: "now").write(Notice("main", f"it is {WRITER}"))
    assert from_line(os.read(reading, 4096).decode()).event == Notice("main", "it is ***")


def test_a_phase_masks_what_it_hands_to_its_parent():
    reading, writing = os.pipe()
    link = Link(Sender(writing), 0, Level.make())
    link.emit(Notice("main", WRITER))
    link.finish(Failure("RevisionFailed", WRITER))
    (event_,), finished = Receiver(reading).receive(5)
    assert (event_.message, finished.outcome.message) == ("***", "***")


def test_the_last_word_is_masked_in_the_termination_log_and_on_stderr(tmp_path, capsys):
    log = tmp_path / "termination"
    _end(RunResult(Outcome.FAILED, "r", failure=Failure("RevisionFailed", f"it is {WRITER}")), str(log))
    assert RunResult.from_json(log.read_text()).failure.message == "it is ***"
    assert WRITER not in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "PGPASSWORD",
        "MYSQL_PWD",
        "DB_PASSWORD",
        "API_TOKEN",
        "APP_SECRET",
        "SECRET_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ],
)
def test_variables_with_a_secret_s_name_are_learnt(name):
    learn_environment({name: f"c4nary-of-{name}"})
    assert is_hidden(f"c4nary-of-{name}")


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "PASSWORD_FILE", "PGPASSFILE", "TOKEN_URL", "HEADWAY_REQUEST"]
)
def test_other_variables_are_not(name):
    learn_environment({name: f"/plain/of/{name}"})
    assert mask(f"in /plain/of/{name}") == f"in /plain/of/{name}"


def test_of_other_variables_the_passwords_of_urls_and_dsns_are_learnt():
    learn_environment({"BROKER": "amqp://u:c4nary-broker@mq/x", "DSN": "host=db password='c4nary dsn'"})
    assert is_hidden("c4nary-broker")
    assert is_hidden("c4nary dsn")
    assert mask("mq/x on host=db") == "mq/x on host=db"


def test_what_env_py_puts_into_the_environment_is_learnt_when_it_fails(monkeypatch):
    def env():
        monkeypatch.setenv("PGPASSWORD", "c4nary-late")
        raise RuntimeError("c4nary-late")

    assert mask(str(call_guarded(env))) == "***"


@pytest.mark.parametrize(
    ("positional", "named", "secret"),
    [
        ((), {"password": "c4nary-argument"}, "c4nary-argument"),
        ((), {"passwd": "c4nary-mysql"}, "c4nary-mysql"),
        ((), {"sslpassword": "c4nary-key"}, "c4nary-key"),
        ((), {"ssl": {"key_password": "c4nary-inner"}}, "c4nary-inner"),
        ((), {"dsn": "host=db password=c4nary-named-dsn"}, "c4nary-named-dsn"),
        (("host=db password=c4nary-dsn",), {}, "c4nary-dsn"),
        (("postgresql://u:c4nary-url@db/x",), {}, "c4nary-url"),
    ],
)
def test_what_a_driver_is_given_is_learnt(positional, named, secret):
    assert learned(positional, named) == named
    assert is_hidden(secret)


def test_a_password_that_a_function_gives_is_learnt_when_it_is_given():
    async def later():
        return "c4nary-awaited"

    given = learned((), {"password": lambda: "c4nary-called"})
    assert given["password"]() == "c4nary-called"
    assert asyncio.run(learned((), {"password": later})["password"]()) == "c4nary-awaited"
    assert is_hidden("c4nary-called")
    assert is_hidden("c4nary-awaited")


def test_a_token_that_a_listener_of_env_py_sets_is_learnt(monkeypatch):
    monkeypatch.setattr(DefaultDialect, "connect", DefaultDialect.connect)
    learn_what_connects()
    engine = create_engine(URL.create("postgresql+psycopg", host="/nowhere", database="x"))

    @event.listens_for(engine, "do_connect")
    def provide_token(dialect, record, positional, named):
        named["password"] = "c4nary-token"

    assert "No such file" in str(call_guarded(engine.connect))
    assert is_hidden("c4nary-token")


def test_the_password_of_an_open_connection_is_learnt():
    class Info:
        password = "c4nary-info"

    class Driver:
        info = Info()
        password = b"c4nary-bytes"

        @property
        def _params(self):
            raise RuntimeError

    learn_connection(Driver())
    assert is_hidden("c4nary-info")
    assert is_hidden("c4nary-bytes")


def test_a_plan_is_masked_before_it_is_hashed_or_told(monkeypatch):
    class Supervisor:
        stopping = None
        told: list = []  # noqa: RUF012

        def emit(self, *events):
            self.told += events

    def look(supervisor, task):
        return task, Inspection(pending=(PendingRevision("a1", f"for {WRITER}" * 1000),), notices=(WRITER,))

    monkeypatch.setattr(plan, "first_task", lambda request, database: Task(request, database, ""))
    monkeypatch.setattr(plan, "look", look)
    supervisor = Supervisor()
    result = plan.plan_databases(supervisor, RunRequest(Mode.PLAN, "r", (DatabaseRequest("main"),)))
    assert WRITER not in repr(supervisor.told) + repr(result)
    assert [type(one) for one in supervisor.told].count(DocumentPart) > 1
    assert sha256_of(result.plan.to_json()) == result.plan_sha256 == supervisor.told[-1].sha256
