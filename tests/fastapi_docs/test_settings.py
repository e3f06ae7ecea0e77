"""Settings and Environment Variables: settings in a dependency."""

import os
from functools import lru_cache
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field


class Settings(BaseModel):
    app_name: str = "Awesome API"
    admin_email: str = Field(default_factory=lambda: os.environ["ADMIN_EMAIL"])
    items_per_user: int = 50


def settings_example(host: Any) -> Any:
    app = host.app()

    @lru_cache
    def get_settings():
        host.events.append("read")
        return Settings()

    @app.get("/info")
    @host.view
    def info(request: host.Request, settings: Annotated[Settings, host.Depends(get_settings)]):
        return {
            "app_name": settings.app_name,
            "admin_email": settings.admin_email,
            "items_per_user": settings.items_per_user,
        }

    host.get_settings = get_settings
    return app


INFO = {"app_name": "Awesome API", "admin_email": "deadpool@example.com", "items_per_user": 50}


@pytest.mark.row("B9")
def test_lru_cache_makes_it_once_for_all_requests(both, monkeypatch) -> None:
    """The dependable is called at every request, its function only the first time."""
    answers = both(settings_example)
    monkeypatch.setenv("ADMIN_EMAIL", "deadpool@example.com")
    assert [answers.get("/info").content for _ in range(3)] == [INFO] * 3
    assert answers.events() == ["read"]
    assert answers.inputs("get", "/info") == []


@pytest.mark.row("H1")
def test_settings_are_overridden_in_a_test(both) -> None:
    """No environment, no patching: a stand-in returns others."""
    answers = both(settings_example)

    def get_settings_override():
        return Settings(admin_email="testing_admin@example.com")

    for app, host in ((answers.original, "theirs"), (answers.api, "ours")):
        app.dependency_overrides[answers.hosts[host].get_settings] = get_settings_override
    assert answers.get("/info").content == {**INFO, "admin_email": "testing_admin@example.com"}
    assert answers.events() == []
