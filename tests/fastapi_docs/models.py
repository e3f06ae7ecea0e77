"""The tables of the samples and of the pages' examples."""

from django.db import models

from .ported.user_crud.models import User

__all__ = ["Hero", "User"]


class Hero(models.Model):
    name = models.CharField(db_index=True)
    age = models.IntegerField(null=True, db_index=True)
    secret_name = models.CharField()

    class Meta:
        ordering = ("id",)

    def __str__(self):
        return self.name
