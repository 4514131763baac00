"""Tree → changes: one function for each kind of statement, in one table."""

from collections.abc import Callable, Iterator

from headway_operator.lint import changes
from headway_operator.lint.changes import Change
from headway_operator.lint.parser import Tree
from headway_operator.lint.reading_tables import alter_table, column_or_constraint
from headway_operator.lint.tree import below, constant_of, named, opened, table_of, words

Reader = Callable[[Tree], Iterator[Change]]


def read(tree: Tree) -> tuple[Change, ...]:
    """All that one statement does, in order; what it writes within a WITH comes before itself."""
    kind, body = opened(tree)
    inner = tuple(change for query in below(body, "ctequery") for change in _written(query))
    reader = READERS.get(kind)
    if reader is None:
        return (*inner, changes.Other("", kind, body))
    return (*inner, *reader(body))


def _written(query: Tree) -> Iterator[Change]:
    kind, body = opened(query)
    if kind in ("UpdateStmt", "DeleteStmt", "InsertStmt"):
        yield from READERS[kind](body)


def _create_table(body: Tree) -> Iterator[Change]:
    found = [column_or_constraint(element) for element in body.get("tableElts", ())]
    parents = body.get("inhRelations", ()) if body.get("partbound") else ()
    yield changes.CreateTable(
        table_of(body.get("relation")),
        tuple(one for one in found if isinstance(one, changes.Column)),
        tuple(one for one in found if isinstance(one, changes.Constraint)),
        bool(body.get("if_not_exists")),
        table_of(parents[0]["RangeVar"]) if parents else "",
    )


def _create_table_as(body: Tree) -> Iterator[Change]:
    into: Tree = body.get("into", {})
    yield changes.CreateTable(
        table_of(into.get("rel")),
        if_not_exists=bool(body.get("if_not_exists")),
        from_query=not into.get("skipData"),
    )


def _drop(body: Tree) -> Iterator[Change]:
    kind = str(body.get("removeType", ""))
    cascade, if_exists = body.get("behavior") == "DROP_CASCADE", bool(body.get("missing_ok"))
    for one in body.get("objects", ()):
        name = named(words(one.get("List", {}).get("items", ()) or (one,)))
        if kind == "OBJECT_TABLE":
            yield changes.DropTable(name, cascade, if_exists)
        elif kind == "OBJECT_INDEX":
            concurrently = bool(body.get("concurrent"))
            yield changes.DropIndex("", name, if_exists, cascade, concurrently=concurrently)
        else:
            yield changes.DropOther("", kind, name, cascade)


def _rename(body: Tree) -> Iterator[Change]:
    kind, table = str(body.get("renameType", "")), table_of(body.get("relation"))
    old, new = str(body.get("subname", "")), str(body.get("newname", ""))
    if kind == "OBJECT_TABLE":
        yield changes.RenameTable(table, new)
    elif kind == "OBJECT_COLUMN" and body.get("relationType") == "OBJECT_TABLE":
        yield changes.RenameColumn(table, old, new)
    else:
        yield changes.RenameOther("", kind, old or table, new)


def _index(body: Tree) -> Iterator[Change]:
    relation = body.get("relation", {})
    elements = [one.get("IndexElem", {}) for one in body.get("indexParams", ())]
    yield changes.CreateIndex(
        table_of(relation),
        str(body.get("idxname", "")),
        tuple(str(element.get("name", "")) for element in elements),
        str(body.get("accessMethod", "btree")),
        bool(body.get("unique")),
        bool(body.get("if_not_exists")),
        not relation.get("inh"),
        body.get("whereClause"),
        concurrently=bool(body.get("concurrent")),
    )


def _reindex(body: Tree) -> Iterator[Change]:
    of = str(body.get("kind", "")).removeprefix("REINDEX_OBJECT_").lower()
    name = table_of(body.get("relation")) or str(body.get("name", ""))
    concurrently = "concurrently" in _options(body, "params")
    yield changes.Reindex(name if of == "table" else "", of, name, concurrently=concurrently)


def _options(body: Tree, field: str) -> set[str]:
    """The options of a statement that are on."""
    elements: list[Tree] = [one["DefElem"] for one in body.get(field, ())]
    return {str(one.get("defname", "")) for one in elements if _value(one) not in ("false", "off", "0")}


def _value(element: Tree) -> str:
    argument: Tree = element.get("arg", {})
    return "".join(words((argument,))) or str(argument.get("Integer", {}).get("ival", ""))


def _update(body: Tree) -> Iterator[Change]:
    targets = [one.get("ResTarget", {}) for one in body.get("targetList", ())]
    assignments = tuple((str(one.get("name", "")), one.get("val", {})) for one in targets)
    yield changes.Update(table_of(body.get("relation")), assignments, body.get("whereClause"), body)


def _delete(body: Tree) -> Iterator[Change]:
    yield changes.Delete(table_of(body.get("relation")), body.get("whereClause"), body)


def _insert(body: Tree) -> Iterator[Change]:
    source = body.get("selectStmt", {}).get("SelectStmt", {})
    yield changes.Insert(table_of(body.get("relation")), bool(source.get("fromClause")), body)


def _select(body: Tree) -> Iterator[Change]:
    yield changes.Query("", body)
    if into := body.get("intoClause"):
        yield changes.CreateTable(table_of(into.get("rel")), from_query=True)


def _truncate(body: Tree) -> Iterator[Change]:
    for one in body.get("relations", ()):
        yield changes.Truncate(table_of(one.get("RangeVar")), body.get("behavior") == "DROP_CASCADE")


def _drop_database(body: Tree) -> Iterator[Change]:
    yield changes.DropDatabase("", str(body.get("dbname", "")))


def _create_enum(body: Tree) -> Iterator[Change]:
    yield changes.CreateEnum("", named(words(body.get("typeName", ()))))


def _alter_enum(body: Tree) -> Iterator[Change]:
    name, new = named(words(body.get("typeName", ()))), str(body.get("newVal", ""))
    if body.get("oldVal"):
        yield changes.RenameEnumValue("", name, str(body["oldVal"]), new)
    else:
        yield changes.AddEnumValue(
            "", name, new, "newValNeighbor" in body, bool(body.get("skipIfNewValExists"))
        )


def _set(body: Tree) -> Iterator[Change]:
    values = [constant_of(one) for one in body.get("args", ())]
    value = values[0] if values and body.get("kind") == "VAR_SET_VALUE" else None
    yield changes.SetVariable("", str(body.get("name", "")), value, bool(body.get("is_local")))


def _vacuum(body: Tree) -> Iterator[Change]:
    full = bool(body.get("is_vacuumcmd")) and "full" in _options(body, "options")
    relations: list[Tree] = body.get("rels", []) or [{}]
    for one in relations:
        yield changes.Vacuum(table_of(one.get("VacuumRelation", {}).get("relation")), full)


def _cluster(body: Tree) -> Iterator[Change]:
    yield changes.Cluster(table_of(body.get("relation")))


def _transaction(body: Tree) -> Iterator[Change]:
    yield changes.Transaction("", str(body.get("kind", "")))


READERS: dict[str, Reader] = {
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "AlterTableStmt": alter_table,
    "DropStmt": _drop,
    "RenameStmt": _rename,
    "IndexStmt": _index,
    "ReindexStmt": _reindex,
    "UpdateStmt": _update,
    "DeleteStmt": _delete,
    "InsertStmt": _insert,
    "SelectStmt": _select,
    "TruncateStmt": _truncate,
    "DropdbStmt": _drop_database,
    "CreateEnumStmt": _create_enum,
    "AlterEnumStmt": _alter_enum,
    "VariableSetStmt": _set,
    "VacuumStmt": _vacuum,
    "ClusterStmt": _cluster,
    "TransactionStmt": _transaction,
}
"""What is read of each kind of statement; any other is ``changes.Other``."""
