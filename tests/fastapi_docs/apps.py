"""The Django app that the examples are here."""

from django.apps import AppConfig


class FastapiDocsConfig(AppConfig):
    name = "tests.fastapi_docs"
    label = "fastapi_docs"
    default_auto_field = "django.db.models.BigAutoField"
