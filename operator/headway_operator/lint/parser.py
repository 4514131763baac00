"""PostgreSQL's own grammar as plain mappings: the only file that knows which package brings it.

The package is loaded with the first statement, so that whatever never reads SQL does not wait for it.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Tree = Mapping[str, Any]
"""A node as PostgreSQL names it: ``{"IndexStmt": {"idxname": …}}``; what is false or empty is left out."""


LONGEST = 100_000
"""Characters, which take a tenth of a second; a megabyte of SQL is data, not a change of the schema."""


class Unreadable(Exception):
    """The text is no SQL of PostgreSQL; ``str()`` says where it stops being that."""


@lru_cache(maxsize=4096)
def trees(sql: str) -> tuple[Tree, ...]:
    """The statements in this text; raises :class:`Unreadable`."""
    import postgast
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError

    if len(sql) > LONGEST:
        raise Unreadable(f"it is longer than {LONGEST:,} characters")
    try:
        parsed = MessageToDict(postgast.parse(sql))
    except postgast.PgQueryError as error:
        raise Unreadable((str(error).splitlines() or ["no reason is given"])[0]) from None
    except (DecodeError, RecursionError):
        raise Unreadable("its expressions are nested too deeply") from None
    except ValueError:
        raise Unreadable("it has characters that no SQL has") from None
    return tuple(one["stmt"] for one in parsed.get("stmts", ()) if "stmt" in one)
