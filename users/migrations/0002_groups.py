"""Two groups: people get groups, tokens get scopes."""

from typing import Any

from django.contrib.auth.management import create_permissions
from django.db import migrations

GROUPS = {
    "user-readers": ["view_user"],
    "user-managers": ["add_user", "change_user", "delete_user", "view_user"],
}


def create_groups(apps: Any, schema_editor: Any) -> None:
    """Create the groups; on a new database their permissions are not there yet."""
    using = schema_editor.connection.alias
    config = apps.get_app_config("users")
    before = getattr(config, "models_module", None)
    config.models_module = True  # create_permissions passes by apps without models
    create_permissions(config, apps=apps, using=using, verbosity=0)
    config.models_module = before
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    for name, codenames in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=name)
        group.permissions.add(
            *permissions.filter(content_type__app_label="users", codename__in=codenames)
        )


class Migration(migrations.Migration):
    """Reversed, the groups stay: they may have members."""

    dependencies = [
        ("users", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
