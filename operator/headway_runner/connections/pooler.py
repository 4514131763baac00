"""A pooler between the runner and PostgreSQL: does it lend its servers by the session, or by the transaction?

Rule: the first is as good as the server itself (PgBouncer cleans the session when its client leaves); with the second
neither a lock nor a setting stays with the one who made it. Two idle sessions are asked in turn for their server's
process id: one that is lent by the transaction answers for both.
"""

import threading

from sqlalchemy.engine import Engine

from headway_runner.connections.side_session import SideSession
from headway_runner.words.reports import say

_ROUNDS = 5
_WHO = "SELECT pg_backend_pid()"


def lends_by_the_session(engine: Engine) -> bool:
    """Asked with two sessions more, from a thread of its own; False also when they cannot be had."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(_look(engine)), name="headway-pooler", daemon=True)
    thread.start()
    thread.join()
    return found == [True]


def _look(engine: Engine) -> bool:
    sessions: list[SideSession] = []
    try:
        sessions += [SideSession(engine), SideSession(engine)]
        answers = {tuple(int(one.ask(_WHO)[0][0]) for one in sessions) for _ in range(_ROUNDS)}
    except Exception as error:  # noqa: BLE001 - a pooler that has no room for two more keeps its secret
        say(f"the pooler's mode could not be seen: {type(error).__name__}")
        return False
    finally:
        for one in sessions:
            one.close()
    first, second = answers.pop()
    return first != second and not answers
