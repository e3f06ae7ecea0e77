"""The tests on every Python and Django, the oldest and the newest Ninja and pydantic.

`nox -f .noxfile.py` takes the Pythons that are installed and skips the others. Arguments after
``--`` stand for those of pytest.
"""

from __future__ import annotations

import shutil
import subprocess

import nox
from packaging.requirements import Requirement

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests"]

PROJECT = nox.project.load_toml("pyproject.toml")["project"]
PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
DJANGOS = [
    name.removeprefix("Framework :: Django :: ")
    for name in PROJECT["classifiers"]
    if name.startswith("Framework :: Django :: ")
]
PAIRS = [
    (python, django)
    for python in PYTHONS
    for django in DJANGOS
    if python != "3.11" or django == "5.2"  # newer ones of Django need Python 3.12
]
OLDEST = [
    f"{requirement.name}=={specifier.version}"
    for requirement in map(Requirement, PROJECT["dependencies"])
    if requirement.name in ("django-ninja", "pydantic")
    for specifier in requirement.specifier
    if specifier.operator == ">="
]
VERSIONS = """
import platform
from importlib.metadata import version

names = "Django", "django-ninja", "pydantic"
print("Python", platform.python_version(), *(f"{name} {version(name)}" for name in names))
"""


@nox.session
@nox.parametrize("python,django", PAIRS)
@nox.parametrize("peers", ["newest", "oldest"])
def tests(session: nox.Session, django: str, peers: str) -> None:
    """Run the tests of `di` with the newest or the oldest Ninja and pydantic."""
    pins = [f"django=={django}.*", *(OLDEST if peers == "oldest" else [])]
    session.install("--quiet", "--editable", ".[test]", *pins)
    session.run("python", "-c", VERSIONS, silent=False)
    arguments = session.posargs or ["-n", "2", "tests/di", "tests/fastapi_docs"]
    session.run("python", "-m", "pytest", "-q", *arguments)


@nox.session(python=False)
def far(session: nox.Session) -> None:
    """Run the tests far from 3.11 and 5.2: newest Python here, newest Django, oldest peers."""
    python, django = [pair for pair in PAIRS if is_usable(f"python{pair[0]}")][-1]
    session.notify(f"tests(peers='oldest', python='{python}', django='{django}')")


def is_usable(python: str) -> bool:
    """Return True if *python* is installed and can make a virtual environment."""
    if shutil.which(python) is None:
        return False
    asked = [python, "-c", "import ensurepip, sqlite3"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0  # noqa: S603 - one of PYTHONS
