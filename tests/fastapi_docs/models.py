"""The tables."""

from django.db import models


class User(models.Model):
    name = models.CharField(max_length=150, db_index=True)
    email = models.CharField(max_length=254, unique=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.email
