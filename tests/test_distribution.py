"""The wheel: `di` alone, in a project that has a `users` app of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import di
from tests.readme import README

ROOT = Path(__file__).parent.parent

PROJECT = {
    "settings.py": """
        SECRET_KEY = "of a test"
        ROOT_URLCONF = "urls"
        INSTALLED_APPS = ["django.contrib.contenttypes", "users", "di"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        """,
    "urls.py": """
        from django.urls import path
        from users.api import api

        urlpatterns = [path("api/", api.urls)]
        """,
    "users/__init__.py": "",
    "users/models.py": """
        from django.db import models

        class Member(models.Model):
            name = models.CharField(max_length=20)
        """,
    "users/api.py": """
        from di import Depends, NinjaAPI
        from di.sessions import SessionDep
        from users.models import Member

        api = NinjaAPI()

        def current_name():
            return "ann"

        @api.post("/members")
        def add_member(request, db: SessionDep, name: str = Depends(current_name)):
            db.add(Member(name=name))
            return {"name": name, "count": Member.objects.count()}
        """,
    "test_members.py": """
        from pathlib import Path

        import pytest

        import di
        import users
        from users.api import current_name

        def test_packages():
            assert Path(users.__file__).parent.parent == Path.cwd()
            assert "site-packages" in Path(di.__file__).parts

        @pytest.mark.django_db
        def test_members(client, dependency_overrides):
            assert client.post("/api/members").json() == {"name": "ann", "count": 1}
            dependency_overrides[current_name] = lambda: "bob"
            assert client.post("/api/members").json() == {"name": "bob", "count": 2}
        """,
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of a copy of this checkout, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    unwanted = shutil.ignore_patterns(
        ".*", "*.egg-info", "__pycache__", "build", "dist", "*.sqlite3"
    )
    shutil.copytree(ROOT, folder / "checkout", ignore=unwanted)
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    run(sys.executable, "-m", "pip", "wheel", *options, ".", cwd=folder / "checkout")
    (built,) = (folder / "checkout").glob("*.whl")
    return built


def run(*command: object, cwd: Path) -> str:
    """Run *command* in *cwd* and return its output; fail with it if the command fails."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(  # noqa: S603 - our own command
        [str(part) for part in command],
        cwd=cwd,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_wheel_holds_di_and_nothing_else(wheel: Path) -> None:
    """Every module of `di` is installed with its type marker and license, and no other package."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"di"}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "di").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "di/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/di/LICENSE") for name in names)


def test_its_metadata_are_true(wheel: Path) -> None:
    """The version is that of the package, and three packages are all that `di` needs."""
    metadata = metadata_of(wheel)
    assert metadata["Version"] == di.__version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("Project-URL")
    needed = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    names = {requirement.split(";")[0].strip(" <>=!.,0123456789") for requirement in needed}
    assert names == {"django", "django-ninja", "pydantic"}


def test_the_versions_that_are_declared_were_run(wheel: Path) -> None:
    """Each Python and Django of the classifiers is in the README's table, and nothing else is."""
    metadata = metadata_of(wheel)
    declared: dict[str, set[str]] = {"Python": set(), "Django": set()}
    for classifier in metadata.get_all("Classifier", []):
        *_, name, version = classifier.split(" :: ")
        if name in declared:
            declared[name].add(version)
    row = re.compile(r"^\| (3\.\d+)\.\d+ \| (\d\.\d)\.\d+ \|", re.MULTILINE)
    rows = row.findall(README.read_text())
    assert {python for python, _ in rows} == declared["Python"]
    assert {django for _, django in rows} == declared["Django"]
    newest = max(declared["Django"])
    major, minor = newest.split(".")
    assert f"django<{major}.{int(minor) + 1}" in str(metadata.get_all("Requires-Dist"))


def test_it_serves_a_project_with_a_users_app_of_its_own(wheel: Path, tmp_path: Path) -> None:
    """The project's `users` stays its own, and the pytest plugin's fixture is there."""
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    options = ["--quiet", "--no-deps", "--no-index"]
    run(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, cwd=tmp_path)
    installed = Path(run(python, "-c", "import di; print(di.__file__)", cwd=tmp_path).strip())
    # Everything but the wheel comes from here. A .pth file there does not count for Python, so
    # this checkout stays unknown.
    (installed.parent.parent / "others.pth").write_text(sysconfig.get_path("purelib"))
    for name, text in PROJECT.items():
        place = tmp_path / "site" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text))
    settings = ["--ds=settings", "-W", "error", "-p", "no:cacheprovider"]
    run(python, "-m", "pytest", *settings, cwd=tmp_path / "site")
