"""Log lines as JSON: one object a line, whatever is in a message, with its resource and without its secrets."""

from __future__ import annotations

import asyncio
import json
import logging
import sys

import pytest

from headway_contract.masking import Masker
from headway_operator.cluster.interface import Key
from headway_operator.controller.json_log import JsonFormatter, about
from headway_operator.settings import Settings

URL = "postgresql://shop:c4nary@db/shop"
SHOP, BLOG = Key("team", "shop"), Key("team", "blog")


def formatted(message: str, *values: object, level: int = logging.INFO, trace=None) -> str:
    record = logging.LogRecord("headway_operator.x", level, "", 0, message, values, trace)
    record.created = 1700000000.25
    return JsonFormatter(Masker().mask).format(record)


def test_a_line_says_when_how_bad_who_and_what():
    assert json.loads(formatted("pod %s is gone", "shop-1", level=logging.WARNING)) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warning",
        "logger": "headway_operator.x",
        "message": "pod shop-1 is gone",
    }


@pytest.mark.parametrize("text", ['two\nlines\r\nand a "quote"', "\u2028 \x00 \\ \ud800", "Grüße"])
def test_whatever_a_message_has_in_it_is_one_line_and_comes_back_as_it_was(text):
    line = formatted("%s", text)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text


def test_messages_and_tracebacks_are_masked_before_quotes_are_escaped():
    masker = Masker()
    masker.learn_variables({"PGPASSWORD": 'c4n"ary\\word'})
    try:
        raise ValueError(f'{URL} and c4n"ary\\word')
    except ValueError:
        trace = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, "", 0, 'failed: %s, c4n"ary\\word', (URL,), trace)
    line = JsonFormatter(masker.mask).format(record)
    told = json.loads(line)
    assert told["message"] == "failed: postgresql://***@db/shop, ***"
    assert told["error"].startswith("Traceback")
    assert "ValueError: postgresql://***@db/shop and ***" in told["error"]


async def test_what_is_logged_while_a_resource_is_worked_on_names_it_also_in_tasks_of_that_work():
    async def line() -> tuple[object, object]:
        told = json.loads(formatted("something"))
        return told.get("namespace"), told.get("name")

    async def work(resource: Key) -> list[tuple[object, object]]:
        with about(resource):
            return [await line(), await asyncio.create_task(line())]

    assert await asyncio.gather(work(SHOP), work(BLOG)) == [[("team", "shop")] * 2, [("team", "blog")] * 2]
    assert await line() == (None, None)


@pytest.mark.parametrize(("given", "wanted"), [("", "text"), ("text", "text"), ("JSON", "json")])
def test_the_format_is_text_unless_it_is_set(given, wanted):
    assert Settings.from_environment({"HEADWAY_LOG_FORMAT": given}).log_format == wanted


def test_a_format_that_is_not_known_is_named_with_those_that_are():
    with pytest.raises(ValueError, match="HEADWAY_LOG_FORMAT should be text or json, but is 'yaml'"):
        Settings.from_environment({"HEADWAY_LOG_FORMAT": "yaml"})
