"""Names are looked up in threads of their own: a name server that does not answer keeps nothing else waiting."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

THREADS = 16


class Names:
    """The system's resolver."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hooks-lookup")

    async def lookup(self, host: str, port: int) -> list[str]:
        """The addresses of a name, in the system's order; raises :class:`OSError`."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _addresses, host, port)
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Look-ups that are under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no name has such labels") from None
    return [str(address[0]) for *_, address in found]
