"""The tables."""

from django.db import models


class User(models.Model):
    name = models.CharField(db_index=True)  # noqa: DJ - neither ends here, as in the original
    email = models.CharField(unique=True)

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.email
