"""The tables."""

from django.db import models


class User(models.Model):
    name = models.CharField(db_index=True)  # noqa: DJ - neither ends here, as in the original
    email = models.CharField(unique=True)

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.email


class Hero(models.Model):
    name = models.CharField(db_index=True)  # noqa: DJ - as above
    age = models.IntegerField(null=True, db_index=True)
    secret_name = models.CharField()

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.name
