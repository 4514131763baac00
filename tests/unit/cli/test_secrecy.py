"""What the command line prints when something is wrong with it, with its input or with itself: never a password."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

import pytest
from rich.console import Console

from headway_cli import here, launch
from headway_cli.__main__ import main
from headway_cli.outputs import JsonOutput
from headway_cli.report import Item
from headway_cli.secrecy import mask_for
from headway_operator.cluster.local_process import Sources
from headway_operator.controller.masked_log import MaskedFormatter
from support.command_line import resource, secret

URL = "postgresql://shop:c4nary@127.0.0.1:1/main"
SECRETS = Sources({"s": {"uri": URL, "user": "shop"}})


def test_an_argument_that_is_not_understood_is_told_without_its_password(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["headway", "wait", "shop", f"main={URL}"])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "unrecognized arguments: main=postgresql://***@127.0.0.1:1/main" in told


def test_a_url_where_a_file_is_meant_is_told_without_its_password(capsys):
    assert main(["run", "x.yaml", f"main={URL}"]) == 2
    told = capsys.readouterr().err
    assert "there is no such file" in told
    assert "c4nary" not in told


def test_a_defect_of_ours_is_told_without_what_was_on_the_command_line(monkeypatch, capsys):
    def breaks(*_):
        raise KeyError(f"{URL} and c4nary")

    monkeypatch.setattr(here, "parse_urls", breaks)
    assert main(["run", "-f", "x.yaml", "--url", f"main={URL}"]) == 1
    told = capsys.readouterr().err
    assert "KeyError" in told
    assert "this is a defect of Headway" in told
    assert "c4nary" not in told


def test_a_defect_of_ours_is_told_without_what_was_in_a_secret(monkeypatch, capsys, tmp_path):
    async def breaks(self):
        logging.getLogger("headway_operator").warning("not of interest")
        raise KeyError("c4nary")

    monkeypatch.setattr(launch.Session, "run", breaks)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    source = {"urlFrom": {"secretKeyRef": {"name": "s", "key": "uri"}}}
    (tmp_path / "shop.yaml").write_text(resource({"main": source}) + "---\n" + secret("s", uri=URL))
    assert main(["run", "-f", "shop.yaml"]) == 1
    told = capsys.readouterr()
    assert "KeyError: '***'" in told.err
    assert "c4nary" not in told.err + told.out


def test_json_lines_are_masked_but_for_what_tells_things_apart():
    written = io.StringIO()
    output = JsonOutput(Console(file=written), mask_for(SECRETS), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    details = {"revision": "c4nary", "title": "for c4nary", "index": 1}
    output.tell(Item("RevisionStarted", "applying c4nary", "c4nary", details))
    told = json.loads(written.getvalue())
    assert (told["message"], told["title"]) == ("applying ***", "for ***")
    assert (told["revision"], told["database"], told["index"]) == ("c4nary", "c4nary", 1)


def test_secrets_of_the_environment_are_hidden_too():
    mask = mask_for(SECRETS, {"PGPASSWORD": "c4nary-pg", "PWD": "/here"})
    assert mask("c4nary-pg in /here") == "*** in /here"


def test_log_lines_and_their_tracebacks_are_masked():
    record = logging.LogRecord("headway", logging.ERROR, "", 0, "failed: %s", (URL,), None)
    try:
        raise ValueError(URL)
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    told = MaskedFormatter(mask_for(SECRETS), "%(levelname)s %(message)s").format(record)
    assert told.startswith("ERROR failed: ***")
    assert "ValueError: ***" in told
    assert "c4nary" not in told
