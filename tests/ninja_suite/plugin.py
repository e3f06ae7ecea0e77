"""The pytest plugin that runs Django Ninja's own tests in one of the five modes.

It runs in the environment that `tests.ninja_suite` prepares, where ``tests`` is Django
Ninja's folder, so it imports nothing of ours but `di`.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import django
import pytest


def _install_di() -> None:
    settings = importlib.import_module("demo.settings")
    settings.INSTALLED_APPS.append("di")
    django.setup()


def _replace(api: type, router: type) -> None:
    for module in ("ninja", "ninja.main"):
        importlib.import_module(module).NinjaAPI = api
    for module in ("ninja", "ninja.router"):
        importlib.import_module(module).Router = router


def plain() -> None:
    """Leave everything as it is."""
    django.setup()


def installed() -> None:
    """Add `di` to INSTALLED_APPS, and use nothing of it."""
    _install_di()


def replaced() -> None:
    """Give every test that asks for Ninja's API or router those of `di`."""
    _install_di()
    from di import NinjaAPI, Router

    _replace(NinjaAPI, Router)


def injected() -> None:
    """Put ``@inject`` on every view, directly below its route decorator."""
    _install_di()
    from ninja import Router

    from di import inject

    original = Router.api_operation

    def api_operation(self: Router, *args: Any, **kwargs: Any) -> Any:
        register = original(self, *args, **kwargs)
        return lambda view: register(inject(view))

    Router.api_operation = api_operation  # type: ignore[method-assign]


def dependent() -> None:
    """Like `replaced`, with a dependency on each API."""
    _install_di()
    from di import Depends, NinjaAPI, Router

    class DependentAPI(NinjaAPI):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(dependencies=[Depends(_nothing)], **kwargs)

    _replace(DependentAPI, Router)


def _nothing() -> None:
    """Stand for a check that lets everybody in."""


MODES = {mode.__name__: mode for mode in (plain, installed, replaced, injected, dependent)}

outcomes: dict[str, str] = {}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine of a test, as pytest-asyncio would."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test, or of the first of its parts that failed."""
    if outcomes.get(report.nodeid, "passed") == "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a module that cannot be imported."""
    if report.failed:
        outcomes[report.nodeid] = "failed"


def pytest_sessionfinish() -> None:
    """Hand over the outcomes."""
    Path(os.environ["NINJA_SUITE_REPORT"]).write_text(json.dumps(outcomes), encoding="utf-8")


sys.path[:0] = [str(Path.cwd()), str(Path("tests/demo_project").absolute())]
os.environ["DJANGO_SETTINGS_MODULE"] = "demo.settings"
os.environ["NINJA_SKIP_REGISTRY"] = "yes"
MODES[os.environ["NINJA_SUITE_MODE"]]()
