"""Facts of revision files for tests of the lint: rendered in Alembic's script mode, calls from the syntax tree."""

from __future__ import annotations

import ast
import importlib.util
import io
import re
import sys
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from headway_contract.facts import Argument, Call, DatabaseFacts, Ignore, RevisionFacts, Statement

BLOCKS = {ast.While: "while", ast.For: "for", ast.If: "if"}
IGNORE = re.compile(r"# headway: ignore (\w+)(?: because (.*))?")


def facts_of(*files: Path) -> DatabaseFacts:
    return DatabaseFacts("postgresql", revisions=tuple(revision_of(file) for file in files))


def revision_of(path: Path) -> RevisionFacts:
    spec = importlib.util.spec_from_file_location(f"case_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = path.read_text()
    statements, problem = rendered(module, path)
    return RevisionFacts(
        module.revision,
        file=path.name,
        post_deploy=getattr(module, "post_deploy", False),
        statements=statements,
        not_renderable=problem,
        calls=calls_of(text),
        ignores=tuple(ignores_of(text)),
    )


def rendered(module: object, path: Path) -> tuple[tuple[Statement, ...], str]:
    found: list[Statement] = []
    context = MigrationContext.configure(
        dialect_name="postgresql",
        opts={"as_sql": True, "output_buffer": io.StringIO(), "literal_binds": True},
    )

    def static_output(sql: str) -> None:
        frame, line = sys._getframe(), 0
        while frame is not None:
            if frame.f_code.co_filename == str(path):
                line = frame.f_lineno
                break
            frame = frame.f_back
        if sql.strip(" \n;").upper() not in ("BEGIN", "COMMIT"):
            found.append(
                Statement(
                    sql, line, context._in_autocommit if hasattr(context, "_in_autocommit") else blocked[0]
                )
            )

    blocked = [False]
    original = context.autocommit_block

    class Block:
        def __enter__(self):
            blocked[0] = True
            self.inner = original()
            return self.inner.__enter__()

        def __exit__(self, *error):
            blocked[0] = False
            return self.inner.__exit__(*error)

    context.impl.static_output = static_output
    context.autocommit_block = Block
    try:
        with Operations.context(context):
            module.upgrade()
    except Exception as error:  # noqa: BLE001 - whatever a revision does
        return tuple(found), str(error) or type(error).__name__
    return tuple(found), ""


def calls_of(text: str) -> tuple[Call, ...]:
    tree = ast.parse(text)
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    found = []

    def visit(node, function, blocks):
        if isinstance(node, ast.FunctionDef):
            function = node.name
        if isinstance(node, ast.Call):
            arguments = [*(("", one) for one in node.args), *((one.arg, one.value) for one in node.keywords)]
            found.append(
                Call(
                    name_of(node.func, names),
                    node.lineno,
                    node.end_lineno,
                    tuple(Argument(ast.unparse(one), name, literal(one)) for name, one in arguments),
                    function,
                    blocks,
                )
            )
        if isinstance(node, ast.With):
            blocks = (*blocks, *(f"with {name_of(item.context_expr.func, names)}" for item in node.items))
        blocks = (*blocks, BLOCKS[type(node)]) if type(node) in BLOCKS else blocks
        for child in ast.iter_child_nodes(node):
            visit(child, function, blocks)

    visit(tree, "", ())
    return tuple(found)


def name_of(node, names) -> str:
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    return f"{name_of(node.value, names)}.{node.attr}" if isinstance(node, ast.Attribute) else "…"


def literal(node) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def ignores_of(text: str):
    for number, line in enumerate(text.splitlines(), 1):
        if found := IGNORE.search(line):
            yield Ignore(found[1], found[2] or "", number, number == 1)
