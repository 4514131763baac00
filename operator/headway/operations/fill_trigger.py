"""A trigger that fills a new column for application code that does not know it: the statements, pure.

Rule: as long as the column holds what the expression gives for its row, it follows the expression. A value that
somebody has written otherwise is left alone, and so is one that an UPDATE writes itself. While rows still
hold what an earlier expression gave, that is followed, too.
"""

from dataclasses import dataclass

from headway.operations.fill_mark import Filling
from headway.statements import PLAIN, literal, quoted, shortened
from headway.sync.names import FILLING, distinct


@dataclass(frozen=True)
class FillTrigger:
    """Of one column; ``schema`` None: where the search path of a script finds the table."""

    schema: "str | None"
    table: str
    column: str
    called: "str | None" = None
    """The function (quoted) that the table's triggers call, made when the table may have had another name; None:
    there are no such triggers, or it is not known."""
    there: "tuple[str, ...]" = ()
    """The names of the table's triggers, made when the column may have had another name; empty: not known."""
    caller: str = ""
    """Another table (quoted) whose triggers call the function of that name: it had this table's name once."""

    @property
    def function_name(self) -> str:
        """That of a new function, without a schema and not quoted."""
        return distinct("headway_fill", self.table, self.column)

    @property
    def function(self) -> str:
        """Quoted, with its schema."""
        return self.called or quoted(PLAIN, self.schema, self.function_name)

    @property
    def names(self) -> "tuple[str, str]":
        """Of the triggers for INSERT and for UPDATE. PostgreSQL fires in the order of names: after the user's own."""
        name = shortened(f"{FILLING}{self.column}", 56)
        return (f"{name}_insert", f"{name}_update")

    @property
    def relation(self) -> str:
        """The table, quoted."""
        return quoted(PLAIN, self.schema, self.table)

    def creation(self, filling: Filling) -> "tuple[str, ...]":
        """Takes ``ACCESS EXCLUSIVE`` on the table; again, it replaces what is there.

        The function is made anew, so that the server refuses one that triggers of another table call.
        """
        column, table = quoted(PLAIN, self.column), self.relation
        on_insert, on_update = (quoted(PLAIN, name) for name in self.names)
        return (
            *self.removal(),
            *self.function_creation(filling),
            f"CREATE TRIGGER {on_insert} BEFORE INSERT ON {table} FOR EACH ROW "
            f"WHEN (NEW.{column} IS NULL) EXECUTE FUNCTION {self.function}()",
            f"CREATE TRIGGER {on_update} BEFORE UPDATE ON {table} FOR EACH ROW "
            f"WHEN (record_image_eq(ROW(NEW.{column}), ROW(OLD.{column}))) EXECUTE FUNCTION {self.function}()",
        )

    def function_creation(self, filling: Filling) -> "tuple[str, ...]":
        """Takes no lock on the table; again, it replaces what is there."""
        return (
            f"CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger LANGUAGE plpgsql "
            f"SET search_path FROM CURRENT AS {_dollar_quoted(self._body(filling))}",
            f"COMMENT ON FUNCTION {self.function}() IS {literal(filling.comment())}",
        )

    def removal(self) -> "tuple[str, ...]":
        """Takes ``ACCESS EXCLUSIVE`` on the table."""
        function = () if self.caller else (f"DROP FUNCTION IF EXISTS {self.function}()",)
        return (*self._drop_triggers(), *function)

    def _drop_triggers(self) -> "tuple[str, ...]":
        return tuple(
            f"DROP TRIGGER IF EXISTS {quoted(PLAIN, name)} ON {self.relation}"
            for name in self.there or self.names
        )

    def _body(self, filling: Filling) -> str:
        column, row = quoted(PLAIN, self.column), quoted(PLAIN, self.table)
        was = f"headway_was.{column}"
        known = "".join(
            f"        IF record_image_ne(ROW({was}), ROW(OLD.{column})) THEN\n"
            f"            {was} := (SELECT {one} FROM (SELECT OLD.*) AS {row});\n"
            "        END IF;\n"
            for one in filling.before
        )
        return (
            # A column that has the name of a variable means itself.
            "#variable_conflict use_column\n"
            "DECLARE\n"
            # A row of the table, which may have another name by then; it gives the value the column's type.
            "    headway_was record;\n"
            "BEGIN\n"
            f"    IF TG_OP = 'UPDATE' AND NEW.{column} IS NOT NULL THEN\n"
            "        headway_was := OLD;\n"
            f"        {was} := (SELECT {filling.value} FROM (SELECT OLD.*) AS {row});\n"
            f"{known}"
            f"        IF record_image_ne(ROW({was}), ROW(OLD.{column})) THEN\n"
            "            RETURN NEW;\n"
            "        END IF;\n"
            "    END IF;\n"
            f"    NEW.{column} := (SELECT {filling.value} FROM (SELECT NEW.*) AS {row});\n"
            "    RETURN NEW;\n"
            "END"
        )


def _dollar_quoted(body: str) -> str:
    """Between dollar quotes that do not occur in it."""
    tag = "headway"
    while f"${tag}$" in body:
        tag += "_"
    return f"${tag}$\n{body}\n${tag}$"
