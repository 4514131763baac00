"""What an expression does when it is worked out: the same each time, something else, or from its own result."""

from headway_operator.lint.parser import Tree
from headway_operator.lint.tree import below, columns_in, constant_of, functions_in, nodes

STEADY = frozenset(
    {
        # Stable: the same within a transaction.
        "now", "transaction_timestamp", "statement_timestamp", "current_setting", "current_schema",
        "current_schemas", "to_timestamp", "to_char", "to_date", "timezone", "date_trunc", "date_part", "extract",
        # Immutable.
        "lower", "upper", "initcap", "coalesce", "concat", "concat_ws", "length", "char_length", "substring",
        "substr", "left", "right", "trim", "btrim", "ltrim", "rtrim", "replace", "regexp_replace", "split_part",
        "position", "strpos", "md5", "sha256", "encode", "decode", "abs", "round", "floor", "ceil", "ceiling",
        "trunc", "mod", "power", "greatest", "least", "nullif", "jsonb_build_object", "json_build_object",
        "jsonb_build_array", "json_build_array", "jsonb_set", "to_json", "to_jsonb", "array_append", "array_length",
        "make_interval", "make_date", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
        "lpad", "rpad", "reverse", "repeat", "format", "quote_literal", "hashtext", "sqrt", "age",
        "array_to_string", "string_to_array", "to_tsvector", "setweight", "jsonb_array_length", "array_remove",
    }
)  # fmt: skip
"""Functions of PostgreSQL's that are stable or immutable. Those that people write are volatile unless marked."""

VOLATILE = frozenset(
    {
        "random", "gen_random_uuid", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4",
        "uuidv7", "clock_timestamp", "timeofday", "nextval", "setval", "gen_random_bytes", "random_normal",
        "pg_sleep", "txid_current", "pg_current_xact_id",
    }
)  # fmt: skip


def volatile_in(expression: Tree | None) -> str:
    """A function in it that gives something else each time it is called, or may; empty when there is none."""
    called = functions_in(expression)
    return next((name for name in called if name.lower() not in STEADY), "")


def surely_volatile_in(expression: Tree | None) -> str:
    """The same, only those that are known to."""
    return next((name for name in functions_in(expression) if name.lower() in VOLATILE), "")


def is_steered_by_constants(where: Tree | None) -> bool:
    """It compares columns with constants only, for equality: it may hit only a few rows."""
    if where is None:
        return False
    kinds = {name for name, _ in nodes(where)}
    if kinds & {"SubLink", "FuncCall", "NullTest"}:
        return False
    found = list(below(where, "A_Expr"))
    return bool(found) and all(
        body.get("kind") in ("AEXPR_OP", "AEXPR_IN") and _operator(body) == "=" and _has_constant(body)
        for body in found
    )


def null_tests_in(where: Tree | None) -> tuple[str, ...]:
    """The columns that it compares with NULL (``IS NULL``)."""
    tests = (test for test in below(where, "NullTest") if test.get("nulltesttype") == "IS_NULL")
    return tuple(column for test in tests for column in columns_in(test.get("arg")))


def never_null_in(condition: Tree | None) -> tuple[str, ...]:
    """The columns of which it says that they are not NULL, alone or beside more (``a IS NOT NULL AND b > 0``)."""
    found: list[str] = []
    waiting = [condition or {}]
    while waiting:
        one = waiting.pop()
        both, test = one.get("BoolExpr", {}), one.get("NullTest", {})
        if both.get("boolop") == "AND_EXPR":
            waiting += both.get("args", ())
        if test.get("nulltesttype") == "IS_NOT_NULL" and "ColumnRef" in test.get("arg", {}):
            found += columns_in(test["arg"])
    return tuple(found)


def _operator(body: Tree) -> str:
    return "".join(str(one.get("String", {}).get("sval", "")) for one in body.get("name", ()))


def _has_constant(body: Tree) -> bool:
    sides = (body.get("lexpr", {}), body.get("rexpr", {}))
    flat = [one for side in sides for one in (side.get("List", {}).get("items", ()) or (side,))]
    return any(constant_of(_uncast(one)) is not None for one in flat)


def _uncast(node: Tree) -> Tree:
    inner = node.get("TypeCast", {}).get("arg")
    return node if inner is None else inner
