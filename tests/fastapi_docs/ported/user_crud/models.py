"""The table of users."""

from django.db import models


class User(models.Model):
    id = models.AutoField(primary_key=True)  # a primary key has its index
    name = models.CharField(db_index=True)
    email = models.CharField(unique=True)  # as has a unique field

    class Meta:
        db_table = "users"

    def __str__(self):
        return self.email
