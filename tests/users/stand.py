"""Two machines behind nginx, with a PostgreSQL primary and its streaming replica.

``python -m tests.users.stand`` starts them in a temporary folder, and ends them at Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.project.server import Up, free_port

PAGE = Path(__file__).parent.parent.parent / "users" / "README.md"
KEY = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklm-_"
_TRUST = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs; None if they are missing."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    found = shutil.which("initdb")
    folders = [*debian[::-1], *([Path(found).parent] if found else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def find_nginx() -> str | None:
    """Return the path of nginx; None if it is missing."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass
class Cluster:
    """A PostgreSQL server of our own."""

    data: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program: str, *args: str) -> None:
        """Run one of PostgreSQL's programs as a user whom it accepts; it refuses root."""
        folder = programs()
        assert folder is not None
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [*as_postgres, str(folder / program), *args],
            cwd=self.data.parent,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        log = self.data.with_suffix(".log")
        self.run("pg_ctl", "-D", str(self.data), "-l", str(log), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stop it at once, whoever is connected."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def ask(self, query: str) -> str:
        """Return the first value of the answer to *query*."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return str(row[0])


@contextlib.contextmanager
def replicated(folder: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Run a primary and a streaming replica in *folder* until the block ends."""
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    primary, replica = Cluster(folder / "primary"), Cluster(folder / "replica")
    primary.run("initdb", "-U", "postgres", "-A", "trust", "-N", "-D", str(primary.data))
    (primary.data / "pg_hba.conf").write_text(_TRUST)
    with contextlib.ExitStack() as stack:
        stack.callback(primary.stop)
        primary.start()
        source = f"host=127.0.0.1 port={primary.port} user=postgres"
        replica.run("pg_basebackup", "-d", source, "-D", str(replica.data), "-R", "-c", "fast")
        stack.callback(replica.stop)
        replica.start()
        yield primary, replica


def configuration(folder: Path, ports: list[int], plain: int, secure: int) -> str:
    """Return the configuration of the operator's pages, for servers on *ports*."""
    (text,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    servers = "\n    ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in ports)
    for ours, theirs in (
        ("server 127.0.0.1:8000 max_fails=0;", servers),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443", f"listen 127.0.0.1:{secure}"),
        ("/etc/ssl/", f"{folder}/"),
        ("/srv/users/.static/", f"{PAGE.parent.parent}/.static/"),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    return (
        f"{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events {}\nhttp { include /etc/nginx/mime.types; access_log off;\n"
        f"{paths}{text}}}\n"
    )


@contextlib.contextmanager
def proxied(nginx: str, folder: Path, ports: list[int]) -> Iterator[tuple[int, int]]:
    """Run nginx before servers on *ports*; yield its ports for plain HTTP and for TLS."""
    key, pem = folder / "example.com.key", folder / "example.com.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=example.com -days 1"
    subprocess.run(  # noqa: S603 - a command of our own
        [*make.split(), "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True
    )
    plain, secure = free_port(), free_port()
    (folder / "nginx.conf").write_text(configuration(folder, ports, plain, secure))
    process = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf")])  # noqa: S603 - as above
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", secure), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "error.log").read_text()
                time.sleep(0.05)
        yield plain, secure
    finally:
        process.terminate()
        process.wait(timeout=10)


@dataclass
class Stand:
    """What runs: two machines, the port of nginx, the two database servers."""

    machines: list[Up]
    port: int
    primary: Cluster
    replica: Cluster
    environment: dict[str, str]
    password: str

    def restart(self, place: int) -> None:
        """Restart the machine at *place* on its port, as an operator does."""
        old = self.machines[place]
        assert old.stop(signal.SIGTERM) == 0, old.output
        new = self.machines[place] = Up(
            self.primary.url, "--port", str(old.port), **self.environment
        )
        new.port = old.port
        new.wait_until_ready()


@contextlib.contextmanager
def stand(nginx: str, folder: Path) -> Iterator[Stand]:
    """Run all of it in *folder* until the block ends."""
    with contextlib.ExitStack() as stack:
        primary, replica = stack.enter_context(replicated(folder))
        environment = {
            "ENVIRONMENT": "production",
            "SECRET_KEY": KEY,
            "ALLOWED_HOSTS": "example.com,localhost,127.0.0.1",
            "API_PASSWORD_LOGIN": "1",
            "TRUSTED_PROXY_COUNT": "1",
            "SECURE_PROXY_SSL_HEADER": "HTTP_X_FORWARDED_PROTO",
            "SECURE_HSTS_SECONDS": "60",
            "DATABASE_REPLICA_URL": replica.url,
        }
        machines: list[Up] = []
        stack.callback(lambda: [machine.kill() for machine in machines])
        for _ in range(2):  # the first brings the database up for both
            machines.append(Up(primary.url, **environment))
            machines[-1].wait_until_ready()
        ports = [machine.port for machine in machines]
        _, port = stack.enter_context(proxied(nginx, folder, ports))
        yield Stand(machines, port, primary, replica, environment, machines[0].password())


def main() -> None:
    """Run the stand until Ctrl-C."""
    nginx = find_nginx()
    if nginx is None or programs() is None:
        raise SystemExit("Install nginx and PostgreSQL's server: apt-get install nginx postgresql")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # what was started is ended then, too
    with tempfile.TemporaryDirectory() as name, stand(nginx, Path(name)) as it:
        lines = [
            f"nginx:    https://localhost:{it.port}/",
            *(f"machine:  http://127.0.0.1:{machine.port}/" for machine in it.machines),
            f"primary:  {it.primary.url}",
            f"replica:  {it.replica.url}",
            f"PASSWORD={it.password}",
            "Stop with Ctrl-C.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
