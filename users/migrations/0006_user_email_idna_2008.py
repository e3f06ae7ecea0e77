"""Addresses in their one spelling, with domains by IDNA 2008.

Until now domains were spelled by IDNA 2003, which every row that was saved still agrees
with: only letters such as ß, which became ss, are lost, and nothing tells those rows from
others. Rows that were written without `User.save`, by an import for example, may have any
spelling, and nobody could log in as their users.
"""

import logging
from typing import Any

from django.db import migrations

from users.text import normalize_email

ONE_SPELLING = r"^[!-?\[-`{-~a-z]+@[a-z0-9.-]+$"

logger = logging.getLogger(__name__)


def spell(apps: Any, schema_editor: Any) -> None:
    """Bring each address into its one spelling, unless another user has that already.

    Such a user keeps the row and the address as it is, for a person to decide.
    """
    users = apps.get_model("users", "User").objects.using(schema_editor.connection.alias)
    others = users.exclude(email__regex=ONE_SPELLING).order_by("pk")
    for pk, written in list(others.values_list("pk", "email")):
        try:
            email = normalize_email(written)
        except ValueError:
            logger.warning("User %s has no email address to log in with", pk)
            continue
        twin = users.filter(email__iexact=email).exclude(pk=pk).first()
        if twin is None:
            users.filter(pk=pk).update(email=email)
        else:
            logger.warning("User %s has the email address of user %s", pk, twin.pk)


class Migration(migrations.Migration):
    """Reversed, the addresses stay: both versions know them."""

    dependencies = [
        ("users", "0005_labels_of_django"),
    ]

    operations = [migrations.RunPython(spell, migrations.RunPython.noop)]
