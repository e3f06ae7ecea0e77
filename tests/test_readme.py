"""The README is true."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from ninja.testing import TestAsyncClient, TestClient

import di
import di.security
from di import exceptions, sessions
from project.api import api as the_api
from tests import readme
from tests.project.server import running
from tests.project.test_settings import shown
from users import conf, schemas
from users.scopes import SCOPES

PYTHON = [block for block in readme.blocks() if block.language == "python"]
SECTIONS = {
    heading: list(blocks)
    for heading, blocks in itertools.groupby(PYTHON, key=lambda block: block.heading)
}
CURL = ["curl-password", "curl-token", "curl-users", "curl-session"]
EXECUTED_BY_CI = {"run", "test", *CURL}


def run(heading: str) -> dict[str, Any]:
    """Execute the blocks of one section, one after the other, and return its names."""
    module = types.ModuleType("readme")
    for block in SECTIONS[heading]:
        # Blank lines before it make a traceback show the README's own lines.
        source = "\n" * (block.line - 1) + block.code
        exec(compile(source, str(readme.README), "exec"), vars(module))  # noqa: S102 - our own README
    return vars(module)


@pytest.mark.parametrize("heading", SECTIONS)
@pytest.mark.django_db
def test_every_block_runs(heading: str) -> None:
    """Each section's code can be pasted as it stands; its own tests pass."""
    names = run(heading)
    for name, value in list(names.items()):
        if name.startswith("test_"):
            value()


def test_every_other_block_is_known() -> None:
    """Shell blocks are executed by CI, text is the output of what a test shows."""
    others = [block for block in readme.blocks() if block.language != "python"]
    assert {block.name for block in others if block.language == "sh"} == EXECUTED_BY_CI
    assert [block.heading for block in others if block.language == "text"] == ["Reference"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_blocks_run_twice(tmp_path: Path) -> None:
    """When all are pasted into a new shell, and once more, then each request is answered."""
    database = f"sqlite:///{tmp_path / 'new.sqlite3'}"
    with running(database) as up:
        up.wait_until_ready()
        script = "\n".join(readme.named(name) for name in CURL)
        script = script.replace(".venv/bin/python", sys.executable)
        script = script.replace("127.0.0.1:8000", f"127.0.0.1:{up.port}")
        for _ in range(2):
            done = subprocess.run(  # noqa: S603 - our own lines
                ["/bin/sh", "-eu", "-c", script],
                capture_output=True,
                text=True,
                check=False,
                cwd=readme.README.parent,
                env={"PATH": os.environ["PATH"], "DATABASE_URL": database, "TMPDIR": str(tmp_path)},
            )
            assert done.returncode == 0, done.stderr
            created, listed, read, changed, deleted, logged_in, items = done.stdout.splitlines()
            ann = json.loads(created.removesuffix(" (201)"))
            assert json.loads(listed.removesuffix(" (200)")) == [ann]
            assert json.loads(read.removesuffix(" (200)")) == ann
            assert json.loads(changed.removesuffix(" (200)")) == {**ann, "name": "Anne"}
            assert deleted == " (204)"
            assert '"admin@example.com"' in logged_in
            assert items.endswith(" (200)")


def test_the_first_example() -> None:
    """The face of the project does what the sentence below it says."""
    api = run("django-ninja-depends")["api"]
    client = TestClient(api)
    assert client.get("/secure-data?token=secret").json() == {"token": "secret"}
    refused = client.get("/secure-data?token=x")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert client.get("/secure-data").status_code == 422
    operation = api.get_openapi_schema(path_prefix="")["paths"]["/secure-data"]["get"]
    assert [one["name"] for one in operation["parameters"]] == ["token"]


def test_plain_ninja() -> None:
    """The section on adding it to a project."""
    client = TestClient(run("Add it to a Django Ninja project")["api"])
    assert client.get("/items?skip=1").json() == {"q": None, "skip": 1, "limit": 100}


async def answer(api: Any, path: str, **options: Any) -> Any:
    return (await TestAsyncClient(api).get(path, **options)).json()


def test_anything_callable() -> None:
    """A class and a coroutine."""
    import asyncio

    api = run("Depend on anything callable")["api"]
    headers = {"Accept-Language": "de"}
    expected = {"skip": 2, "limit": 10, "lang": "de"}
    assert asyncio.run(answer(api, "/items?skip=2", headers=headers)) == expected


def test_arguments() -> None:
    """They decide, not the client."""
    client = TestClient(run("Give a dependable arguments")["api"])
    assert client.get("/reports?role=editor").json() == "reports for an editor"
    assert client.get("/reports").json() == {"detail": "Only for editors"}


def test_what_an_answer_has() -> None:
    """A dependable's headers and cookies, a view's status."""
    answer = TestClient(run("Set headers, cookies and the status")["api"]).post("/orders")
    assert (answer.status_code, answer.json(), answer["Cache-Control"]) == (
        201,
        {"id": 1},
        "no-store",
    )
    assert answer.cookies["seen"].value == "yes"


def test_cleaning_up() -> None:
    """What the events are."""
    names = run("Clean up after a request")
    client, events = TestClient(names["api"]), names["events"]
    assert client.get("/fine").json() == "connection"
    with pytest.raises(ValueError, match="it"):
        client.get("/broken")
    assert events == ["open", "closed", "open", "saw it", "closed"]


@pytest.mark.django_db(transaction=True)
def test_writing() -> None:
    """Committed, or not."""
    Group.objects.all().delete()
    client = TestClient(run("Write to the database")["api"])
    assert client.post("/groups/one").status_code == 200
    assert client.post("/groups/two?check=true").status_code == 409
    assert client.post("/groups/one").status_code == 409
    assert client.get("/groups").json() == ["one"]
    assert Group.objects.count() == 1


def test_scopes() -> None:
    """The union, outermost first."""
    names = run("Require OAuth2 scopes")
    client = TestClient(names["api"])
    assert client.get("/users/me/items?granted=me items").status_code == 200
    assert client.get("/users/me/items?granted=me").json() == {"detail": "Missing: items"}


def test_credentials() -> None:
    """Log in with the form, be somebody, and be asked who you are."""
    names = run("Read credentials")
    client = TestClient(names["api"])
    form = {"username": "ann", "password": "secret"}
    token = client.post("/token", data=form).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/me", headers=headers).json() == {"name": "ann"}
    assert client.post("/token", data={**form, "password": "x"}).status_code == 400
    refused = client.get("/me")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    refused = client.get("/orders")
    assert (refused.json(), refused["WWW-Authenticate"]) == ({"detail": "Send your key"}, "X-Key")
    assert client.get("/orders", headers={"X-Key": "k"}).json() == "k"
    for api in (names["api"], names["plain"]):
        document = api.get_openapi_schema(path_prefix="/api/")
        assert document["paths"]["/api/me"]["get"]["security"] == [{"OAuth2PasswordBearer": []}]
        flows = document["components"]["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
        assert flows["password"]["tokenUrl"] == "/api/token"


@pytest.mark.asvs("8.1.1")
def test_the_scopes_are_those_there_are() -> None:
    """The table names each scope and each permission."""
    text = readme.README.read_text()
    table = text[text.index("| scope | allows | permission |") :].partition("\n\n")[0]
    for name, scope in SCOPES.items():
        assert f"`{name}`" in table
        assert all(f"`{permission}`" in table for permission in scope.permissions.values())


def table(header: str) -> list[list[str]]:
    """Return the cells of the README's table whose first line begins with *header*."""
    text = readme.README.read_text()
    lines = text[text.index(header) :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]*)`", text)


@pytest.mark.asvs("8.1.1")
def test_the_operations_are_those_there_are() -> None:
    """Each with its method, its path, and the scope that the document says, or none."""
    written = {}
    for where, needs, _ in table("| path | needs | answers |"):
        *first, last = quoted(where)
        method, path = last.split()
        methods, scopes = [*first, method], quoted(needs)
        for index, one in enumerate(methods):
            scope = scopes[index % len(scopes)] if "`" in needs and scopes[0] in SCOPES else None
            written[one, path.replace("{id}", "{user_id}")] = scope
    document = the_api.get_openapi_schema(path_prefix="/api/")["paths"]
    found = {
        (method.upper(), path): next(
            (names[0] for one in operation.get("security", []) for names in one.values() if names),
            None,
        )
        for path, operations in document.items()
        for method, operation in operations.items()
    }
    assert written == found


@pytest.mark.asvs("8.1.2")
def test_the_fields_are_those_there_are() -> None:
    """Who reads and who writes each."""
    written: list[set[str]] = [set() for _ in range(5)]
    for names, *columns in table("| field | read |"):
        for number, cell in enumerate(columns):
            written[number].update(quoted(names) if cell else ())
            if cell == "with `users:admin`":
                written[4].update(quoted(names))
    models = (schemas.UserOut, schemas.UserCreate, schemas.UserUpdate, schemas.MeUpdate)
    assert written == [*(set(model.model_fields) for model in models), set(schemas.PRIVILEGES)]


@pytest.mark.asvs("6.1.1", "6.3.1")
def test_the_limits_are_those_there_are() -> None:
    """Of logins, of sessions, of connections and of hashes."""
    written = {
        quoted(name)[0]: None if many == "off" else (int(many), int(seconds))
        for name, _, many, seconds in table("| limit | of what |")
    }
    assert written == settings.API_THROTTLES
    assert written == {name: conf.throttle(name) for name in written}
    text = " ".join(readme.README.read_text().split())
    assert "two weeks after its login (`SESSION_COOKIE_AGE`)" in text
    assert "the staff's after 4 hours (`STAFF_SESSION_AGE`)" in text
    assert (settings.SESSION_COOKIE_AGE, conf.staff_session_age()) == (14 * 86_400, 4 * 3_600)


@pytest.mark.asvs("13.1.2")
def test_the_sizes_of_pools_are_those_there_are() -> None:
    """Of connections and of hashes; who finds none free is tested where they are used."""
    rows = {quoted(name)[0]: (size, text) for name, size, text in table("| variable |")}
    size, text = rows["DATABASE_POOL_SIZE"]
    pool = "s.DATABASES['default']['OPTIONS']['pool']"
    names = f"{pool}['max_size'], {pool}['timeout']"
    seconds = re.findall(r"waited (\d+) seconds", text)
    assert shown(names, DATABASE_URL="postgres:///name") == " ".join([size, *seconds])
    assert "`API_HASHING_SLOTS` (as many as cores)" in readme.README.read_text()
    assert conf.hashing_slots() == os.cpu_count()


def test_every_public_name_is_in_the_reference() -> None:
    """Of `di`, of `di.sessions` and `di.security`, and every error's id."""
    text = readme.README.read_text()
    rows = set(re.findall(r"`([\w.]+)[`(]", text[text.index("## Reference") :]))
    public = {name for name in vars(sessions) if name[0].isupper() or "session" in name}
    own = {
        name for name in public if getattr(vars(sessions)[name], "__module__", "") == "di.sessions"
    }
    bare = {row.removeprefix("di.sessions.").removeprefix("di.security.") for row in rows}
    assert {*di.__all__, *own, *di.security.__all__} - bare == set()
    errors = [
        error
        for _, error in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(error, exceptions.DependencyError) and error is not exceptions.DependencyError
    ]
    for error in errors:
        assert f"| {error.check_id} | `{error.__name__}` |" in text


def test_check_ids_are_unique() -> None:
    """One id, one error."""
    ids = re.findall(r"^\| (di\.[EW]\d+) ", readme.README.read_text(), re.MULTILINE)
    assert len(ids) == len(set(ids))
