"""Makes what the matrix needs and this machine allows: Pythons, environments, servers.

    PYTHONPATH=tests python -m support.matrix.obtain [chosen|all]

Whatever cannot be had is named at the end; the rows that need it are listed by the test run, too.
"""

from __future__ import annotations

import subprocess
import sys

from support.cache import say
from support.matrix import environments, interpreters, mysql, postgresqls
from support.matrix.selection import rows_of


def main(which: str = "chosen") -> int:
    """Exit code 1 when something failed that should have worked."""
    rows = rows_of(which)
    say(f"the matrix's Python environments ({which} rows; seconds each, kept in the cache) …")
    try:
        absent = {row.python for row in rows if not environments.obtain(row)}
        for server in sorted({row.server for row in rows}):
            postgresqls.obtain(server)
            if server == mysql.SERVER:
                mysql.obtain()
    except subprocess.CalledProcessError as error:
        print(f"a part of the matrix could not be made: {error}\n{error.stderr or ''}", file=sys.stderr)
        return 1
    for version in sorted(absent):
        say(f"not to be had: {interpreters.why_not(version)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
