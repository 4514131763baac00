"""A batch loop finds its next rows the slow way (58)."""

from collections.abc import Iterator

from headway_operator.lint.changes import Delete, Query, Update
from headway_operator.lint.context import Of, Revision
from headway_operator.lint.expressions import null_tests_in
from headway_operator.lint.findings import Finding
from headway_operator.lint.parser import Tree
from headway_operator.lint.tree import below, columns_in, nodes


def batches_are_paged_by_a_predicate_or_an_offset(revision: Revision) -> Iterator[Finding]:
    """A loop looks for its next batch by ``IS NULL … LIMIT``, by OFFSET, or by ranges of numbers.

    ``WHERE status IS NULL LIMIT 1000`` reads over everything that the earlier batches have done: the last batches are
    ten times slower than the first ones. OFFSET does the same. Ranges of ids (``BETWEEN :low AND :high``) take one
    statement for each thousand *numbers*, also where a thousand numbers have three rows, and fail with keys that are
    no numbers.

    Anti-pattern::

        while True:
            done = connection.execute(
                text(
                    "UPDATE users SET status = 'active' WHERE id IN "
                    "(SELECT id FROM users WHERE status IS NULL LIMIT 1000)"
                )
            )
            if done.rowcount == 0:
                break

    Best practice::

        headway.backfill("users", {"status": "'active'"}, where="status IS NULL")
    """
    for found in revision.of(Update, Delete, Query):
        how = _how(found.change.tree) if found.step.in_loop else ""
        table = found.change.table or _first_table(found.change.tree)
        if how and not revision.is_harmless(table, found):
            yield _finding(revision, found, how)


def _how(tree: Tree) -> str:
    """How the rows of a batch are found, empty when it is neither of these ways."""
    selects = [tree, *below(tree, "SelectStmt")]
    if any("limitOffset" in select for select in selects):
        return "by OFFSET"
    if any("limitCount" in select and _only_a_null_test(select) for select in selects):
        return "by IS NULL and LIMIT"
    return "by a range of numbers" if _is_range_arithmetic(tree) else ""


def _only_a_null_test(select: Tree) -> bool:
    """It asks which rows are left, and not from where on."""
    where = select.get("whereClause")
    kinds = {name for name, _ in nodes(where)}
    return bool(null_tests_in(where)) and "A_Expr" not in kinds


def _is_range_arithmetic(tree: Tree) -> bool:
    """Between two bounds, and no limit: as many numbers each time, not as many rows."""
    if any(True for select in (tree, *below(tree, "SelectStmt")) if "limitCount" in select):
        return False
    comparisons = list(below(tree.get("whereClause"), "A_Expr"))
    if any(one.get("kind") == "AEXPR_BETWEEN" for one in comparisons):
        return True
    bounds = [(_operator(one), columns_in(one.get("lexpr"))) for one in comparisons]
    lower = {columns for operator, columns in bounds if operator in (">", ">=") and columns}
    upper = {columns for operator, columns in bounds if operator in ("<", "<=") and columns}
    return bool(lower & upper)


def _operator(body: Tree) -> str:
    return "".join(str(one.get("String", {}).get("sval", "")) for one in body.get("name", ()))


def _first_table(tree: Tree) -> str:
    return next((str(one.get("relname", "")) for one in below(tree, "RangeVar")), "")


def _finding(revision: Revision, found: Of[Update | Delete | Query], how: str) -> Finding:
    return revision.finding(
        found,
        f"The batches of this loop are found {how}.",
        "Each one reads over what the earlier ones have done, or over numbers that have no rows.",
        "Go on from the last key (`WHERE id > :last ORDER BY id LIMIT :n`), or use `headway.backfill(…)`.",
    )
