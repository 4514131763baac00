"""What Python itself prints when something is caught by nobody, while the log is JSON."""

from __future__ import annotations

import json
import subprocess
import sys

UNCAUGHT = """
import warnings
from headway_operator.__main__ import _start_logging

class Careless:
    def __del__(self):
        raise KeyError("postgresql://shop:c4nary@db/shop")

_start_logging("INFO", "json")
warnings.warn("postgresql://shop:c4nary@db/shop is old")
Careless()
raise ValueError("postgresql://shop:c4nary@db/shop")
"""


def test_what_python_itself_would_print_is_a_masked_line_too():
    done = subprocess.run([sys.executable, "-c", UNCAUGHT], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["warning", "warning", "critical"]
    assert "KeyError" in lines[1]["error"]
    assert "ValueError" in lines[2]["error"]
    assert "c4nary" not in done.stderr
