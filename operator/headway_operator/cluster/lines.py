"""Lines out of chunks of bytes, each with a bound: a program that prints without line ends cannot fill the memory."""

from collections.abc import AsyncIterable, AsyncIterator

LIMIT_BYTES = 65536


async def split_lines(chunks: AsyncIterable[bytes], limit: int = LIMIT_BYTES) -> AsyncIterator[str]:
    """The whole lines without their ends; of one that is longer than ``limit`` bytes only the start."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line[:limit].decode(errors="replace")
        # One byte past the limit is enough to tell later that the line was too long.
        rest = rest[: limit + 1]
    if rest:
        yield rest[:limit].decode(errors="replace")
