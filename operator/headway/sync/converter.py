"""A function that converts a value of the old column or says NULL: for statements on many rows, which go on then."""

from headway.sync.body import converted, search_path
from headway.sync.names import dollar_quoted, qualified
from headway.sync.pair import Pair


def converter(pair: Pair) -> str:
    """The statement that makes it; may be run again."""
    lines = [
        "#variable_conflict use_column",
        "DECLARE",
        "    headway_value ALIAS FOR $1;",
        f"    headway_forward {pair.new.type};",
        "BEGIN",
        *converted("headway_forward", pair.forward, "headway_value"),
        "    RETURN headway_forward;",
        "END",
    ]
    return (
        f"CREATE OR REPLACE FUNCTION {qualified(pair.schema, pair.converter)}({pair.old.type}) "
        f"RETURNS {pair.new.type} LANGUAGE plpgsql STABLE\n"
        f"{search_path(pair)} AS {dollar_quoted(chr(10).join(lines))}"
    )


def converter_removal(function: str, type_: str) -> str:
    """Of the function (quoted) that converts a value of this type; may be run again."""
    return f"DROP FUNCTION IF EXISTS {function}({type_})"
