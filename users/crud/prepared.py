"""Queries whose SQL is compiled once, because compiling costs more than asking.

A `Prepared` is made of an ordinary ``values_list()`` with a `Slot` wherever a value differs
from request to request. Its rows are those that the queryset would give, each time asked anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, Func, IntegerField, JSONField, Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row: TypeAlias = Sequence[Any]


class Slot(Expression):
    """The place of a value in a `Prepared`."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, Any]:
        """Return a placeholder, and this slot as the value."""
        return "%s", [self]


class NumberOf(Expression):
    """The number of rows of a queryset, its limit included, as a subquery."""

    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        super().__init__(output_field=IntegerField())
        self.rows = rows

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, Any]:
        """Return the subquery."""
        inner = self.rows.query.get_compiler(compiler.using, connection)
        sql, values = inner.as_sql()
        return f"(SELECT COUNT(*) FROM ({sql}) counted)", values  # noqa: S608 - Django's own SQL


class ListOf(Func):
    """All values of a subquery as a list; without any it is empty or None."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Return SQLite's function."""
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    values: Sequence[Any]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]


class Prepared:
    """A queryset of ``values_list()`` that is compiled once for each database.

    Args:
        build: returns the queryset; called when it is first asked.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, using: str, **values: Any) -> list[Row]:
        """Ask the database *using*, with *values* in the slots of their names."""
        compiled = self._compiled.get(using)
        if compiled is None:
            compiled = self._compiled[using] = self._compile(using)
        filled = [values[one.name] if isinstance(one, Slot) else one for one in compiled.values]
        connection = connections[using]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, filled)
            rows: list[Row] = cursor.fetchall()
        if not compiled.converters:
            return rows
        return [_converted(row, compiled, connection) for row in rows]

    def _compile(self, using: str) -> _Compiled:
        # A connection of its own, because this thread's would be kept alive.
        connection = connections.create_connection(using)
        compiler = self._build().query.get_compiler(using, connection)
        sql, values = compiler.as_sql()
        found = compiler.get_converters([column for column, *_ in compiler.select])
        connection.close()  # to compile some expressions takes the database's version
        return _Compiled(sql, values, [(place, *found[place]) for place in found])


def _converted(row: Row, compiled: _Compiled, connection: BaseDatabaseWrapper) -> Row:
    """Return *row* with each value as its field has it."""
    converted = list(row)
    for place, converters, column in compiled.converters:
        for convert in converters:
            converted[place] = convert(converted[place], column, connection)
    return converted


def columns_of(model: type[Model]) -> list[str]:
    """Return the names of all columns of *model*, as `Model.from_db` takes them."""
    return [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - documented
