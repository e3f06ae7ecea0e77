"""Everything up with one command: database, administrator, server."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from project.server import Interface, NoServerError, serve
from project.startup import (
    Administrator,
    StartupError,
    check_database,
    check_port,
    ensure_administrator,
    is_local,
    one_at_a_time,
)


class Command(BaseCommand):
    """Bring the database up to date and serve the site."""

    help = "Migrate, create an administrator if there is none, and serve the site."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where and how to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--workers", type=int, default=1, help="server processes")
        parser.add_argument("--interface", choices=("wsgi", "asgi"), default="wsgi")

    def handle(
        self, *_: Any, host: str, port: int, workers: int, interface: Interface, **__: Any
    ) -> None:
        """Do one step after the other, and say so."""
        if workers < 1:
            message = "--workers must be at least 1."
            raise CommandError(message)
        try:
            check_port(host, port)
            if settings.DEBUG and not is_local(host):
                self.say(f"DEBUG is off, because others can reach {host}: it shows them the source")
                settings.DEBUG = False
                os.environ["DEBUG"] = "0"  # for the server's processes
            with one_at_a_time():
                administrator = self.prepare()
            self.introduce(administrator)
            serve(
                host=host,
                port=port,
                workers=workers,
                interface=interface,
                on_start=lambda: self.invite(f"http://{_in_url(host)}:{port}", administrator),
            )
        except (StartupError, NoServerError) as error:
            raise CommandError(str(error)) from None
        self.say("Stopped")

    def prepare(self) -> Administrator:
        """Bring the database and the static files up to date; return an administrator."""
        self.say(f"Database: {check_database()}")
        self.say("Migrating")
        call_command("migrate", interactive=False, verbosity=0)
        self.say("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        return ensure_administrator(os.environ.get("ADMIN_EMAIL", "admin@example.com"))

    def introduce(self, administrator: Administrator) -> None:
        """Show a new administrator's password, this one time."""
        if administrator.password is None:
            self.say(f"Administrator: {administrator.email}")
        else:
            self.say(f"Administrator created: {administrator.email}")
            self.say("Password, shown this once, as a line for your shell:")
            self.say(f"PASSWORD={administrator.password}")

    def invite(self, site: str, administrator: Administrator) -> None:
        """Print the addresses and a line to try them with."""
        self.say(f"API documentation: {site}{reverse('api:openapi-view')}")
        self.say(f"Admin site:        {site}{reverse('admin:index')}")
        self.say(f"Users:             {site}{settings.API_PREFIX}users")
        if settings.API_PASSWORD_LOGIN:
            login = f"{site}{settings.API_PREFIX}auth/token"
            self.say("Try it, in a shell where PASSWORD is set:")
            self.say(
                f"""curl -s -H "Authorization: Bearer $(curl -s {login} -d scope=users:read"""
                f""" -d username={administrator.email} --data-urlencode "password=$PASSWORD\""""
                f""" | grep -o 'dnt_[0-9A-Za-z_]*')" {site}{settings.API_PREFIX}users"""
            )
        self.say("Stop with Ctrl-C.")

    def say(self, line: str) -> None:
        """Print *line* now, also into a pipe."""
        self.stdout.write(line)
        self.stdout.flush()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
