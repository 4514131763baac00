"""What keeps these tests within seconds."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest


async def test_a_unit_test_that_starts_a_program_is_told_where_it_belongs():
    with pytest.raises(AssertionError, match="tests/process"):
        subprocess.run([sys.executable, "-c", ""], check=True)
    with pytest.raises(AssertionError, match="tests/process"):
        await asyncio.create_subprocess_exec(sys.executable, "-c", "")
