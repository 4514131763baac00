"""The log of a Job without a cluster: a file that grows while it is read."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from headway_operator.cluster.local_process import follow

MANY = 50


async def test_a_log_that_grows_as_fast_as_it_is_read_lets_others_go_on(tmp_path: Path) -> None:
    """The writer here writes a line for each that is read, until it is told to stop."""
    log, told = tmp_path / "log", asyncio.Event()
    log.write_text("0\n")
    asyncio.get_running_loop().call_soon(told.set)
    lines = []
    async with aclosing(follow(log, lambda: False)) as following:
        async for line in following:
            lines.append(line)
            if not told.is_set() and len(lines) < MANY:
                with log.open("a") as file:
                    file.write(f"{len(lines)}\n")
    assert lines == [str(number) for number in range(len(lines))]
    assert len(lines) < MANY, "nobody else was heard while it was read"
