"""When a user was last locked out, which ends their sessions for good."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone


def lock_out(apps: Any, schema_editor: Any) -> None:
    """Lock out anew who is inactive now, or their sessions would come back with them."""
    users = apps.get_model("users", "User").objects.using(schema_editor.connection.alias)
    users.filter(is_active=False).update(locked_out_at=timezone.now())


class Migration(migrations.Migration):
    """Nobody else has a date, and keeps the sessions and tokens that they have."""

    dependencies = [
        ("users", "0003_throttle_and_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="locked_out_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RunPython(lock_out, migrations.RunPython.noop),
    ]
