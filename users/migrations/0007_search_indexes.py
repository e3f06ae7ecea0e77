"""Indexes for the search of users, where PostgreSQL can have them."""

from typing import Any

from django.db import migrations

_INDEXES = {"users_user_name_trgm": "name", "users_user_email_trgm": "email"}
_MAY_CREATE = """
    SELECT EXISTS (SELECT FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND trusted)
       AND has_database_privilege(current_database(), 'CREATE')
"""
_IS_THERE = """
    SELECT EXISTS (
        SELECT FROM pg_opclass WHERE opcname = 'gin_trgm_ops' AND pg_opclass_is_visible(oid)
    )
"""


def create_indexes(_: Any, schema_editor: Any) -> None:
    """Index parts of names and addresses, as ``icontains`` compares them.

    The extension pg_trgm is part of PostgreSQL, but some systems package it apart, and the
    role may lack the right to create it. Then a search reads the table, and this migration
    still succeeds. Nobody who writes is locked out meanwhile.
    """
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        if _ask(cursor, _MAY_CREATE):
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        if not _ask(cursor, _IS_THERE):
            return
        cursor.execute("SET statement_timeout = 0")  # a large table takes minutes
        for index, column in _INDEXES.items():
            # An attempt that was interrupted leaves an index that is not valid.
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY {index}"
                f" ON users_user USING gin (UPPER({column}::text) gin_trgm_ops)"
            )
        cursor.execute("RESET statement_timeout")


def drop_indexes(_: Any, schema_editor: Any) -> None:
    """Drop the indexes; the extension stays, because others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            for index in _INDEXES:
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")


def _ask(cursor: Any, question: str) -> bool:
    cursor.execute(question)
    return bool(cursor.fetchone()[0])


class Migration(migrations.Migration):
    """Not in a transaction, because indexes are created while others write."""

    atomic = False

    dependencies = [("users", "0006_user_email_idna_2008")]

    operations = [migrations.RunPython(create_indexes, drop_indexes)]
