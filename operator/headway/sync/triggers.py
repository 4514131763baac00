"""The statements that bring a pair's triggers and take them away; each may be run again.

Locks: CREATE TRIGGER takes SHARE ROW EXCLUSIVE on the table, DROP TRIGGER takes ACCESS EXCLUSIVE.
"""

from headway.sync.body import differs, function_body, search_path
from headway.sync.names import dollar_quoted, identifier, literal, qualified
from headway.sync.pair import Mark, Pair


def creation(pair: Pair, mark: Mark) -> tuple[str, ...]:
    """Function, comment and triggers; the comment on each trigger is the operation's id."""
    function = f"{qualified(pair.schema, pair.function)}()"
    text = literal(mark.text())
    made = [
        # Made anew, so that the server refuses a function that triggers of another table call.
        *removal(pair),
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql\n"
        f"{search_path(pair)} AS {dollar_quoted(function_body(pair))}",
        f"COMMENT ON FUNCTION {function} IS {text}",
    ]
    for name, event, guard in zip(pair.triggers, ("INSERT", "UPDATE"), guards(pair), strict=True):
        made += [
            f"CREATE TRIGGER {identifier(name)} BEFORE {event} ON {pair.relation}\n"
            f"FOR EACH ROW WHEN ({guard}) EXECUTE FUNCTION {function}",
            f"COMMENT ON TRIGGER {identifier(name)} ON {pair.relation} IS {text}",
        ]
    return tuple(made)


def removal(pair: Pair) -> tuple[str, ...]:
    """Triggers and function."""
    return (
        *(f"DROP TRIGGER IF EXISTS {identifier(name)} ON {pair.relation}" for name in pair.triggers),
        f"DROP FUNCTION IF EXISTS {qualified(pair.schema, pair.function)}()",
    )


def guards(pair: Pair) -> tuple[str, str]:
    """The WHEN of INSERT and of UPDATE: a write that concerns neither column costs a comparison and no call.

    Where each value surely converts, what the backfill writes costs no call either: half of its time otherwise.
    """
    old, new = identifier(pair.old.name), identifier(pair.new.name)
    if pair.is_copy or (pair.is_lossless and pair.back is not None):
        value = f"NEW.{old}" if pair.is_copy else f"CAST(NEW.{old} AS {pair.new.type})"
        guard = differs(value, f"NEW.{new}")
        return guard, guard
    written = f"{differs(f'NEW.{old}', f'OLD.{old}')} OR {differs(f'NEW.{new}', f'OLD.{new}')}"
    # One way, an empty new column may be what new code has written, and is left alone.
    unfilled = f" OR NEW.{new} IS NULL AND NEW.{old} IS NOT NULL" if pair.back else ""
    return f"NEW.{old} IS NOT NULL OR NEW.{new} IS NOT NULL", written + unfilled
