"""The pages' examples again, on Ninja's own API with `di.inject`."""

from typing import Any

import pytest

from tests.fastapi_docs import (
    test_advanced_dependencies,
    test_authentication_error_status_code,
    test_background_tasks,
    test_classes_as_dependencies,
    test_dependencies_with_yield,
    test_first_steps,
    test_get_current_user,
    test_handling_errors,
    test_http_basic_auth,
    test_oauth2_scopes,
    test_settings,
    test_simple_oauth2,
    test_sub_dependencies,
    test_using_request_directly,
)
from tests.fastapi_docs.hosts import Both, plain

JOHN = {"Authorization": "Bearer johndoe"}

CASES: dict[str, tuple[Any, list[tuple[str, str, dict[str, Any]]]]] = {
    "first steps": (
        test_first_steps.commons_annotated,
        [
            ("get", "/items/?q=foo&skip=100", {}),
            ("get", "/users/?skip=x&limit=", {}),
        ],
    ),
    "classes": (
        test_classes_as_dependencies.commons_class,
        [("get", "/shortcut/?q=foo&skip=1", {}), ("get", "/cat/", {})],
    ),
    "sub-dependencies": (
        test_sub_dependencies.query_or_cookie,
        [("get", "/items/", {"cookies": {"last_query": "bar"}}), ("get", "/items/?q=foo", {})],
    ),
    "the same several times": (
        test_sub_dependencies.several_times,
        [("get", "/values/", {}), ("get", "/values/", {})],
    ),
    "a tree with yield": (test_dependencies_with_yield.tree, [("get", "/tree/", {})]),
    "yield and HTTPException": (
        test_dependencies_with_yield.owner,
        [("get", f"/items/{item}", {}) for item in ("plumbus", "portal-gun", "other")],
    ),
    "early exit": (
        test_dependencies_with_yield.early_exit,
        [("get", "/users/me", {}), ("get", "/users/me?answer=false", {}), ("get", "/late", {})],
    ),
    "a parameterized instance": (
        test_advanced_dependencies.parameterized,
        [("get", "/query-checker/?q=foobar", {})],
    ),
    "errors": (
        test_handling_errors.unicorns,
        [("get", "/unicorns/yolo", {}), ("get", "/unicorns/shinny?horns=x", {})],
    ),
    "the request": (
        test_using_request_directly.client_host,
        [("get", "/items/foo", {"headers": {"User-Agent": "curl"}})],
    ),
    "background tasks": (
        test_background_tasks.log,
        [("post", "/send-notification/foo@example.com?q=some-query", {})],
    ),
    "settings": (test_settings.settings_example, [("get", "/info", {}), ("get", "/info", {})]),
    "the current user": (
        test_get_current_user.current_user_example,
        [("get", "/users/me", {"headers": JOHN}), ("get", "/users/me", {})],
    ),
    "simple OAuth2": (
        test_simple_oauth2.simple_oauth2,
        [
            ("post", "/token", {"form": {"username": "johndoe", "password": "secret"}}),
            ("post", "/token", {"form": {"username": "johndoe"}}),
            ("get", "/users/me", {"headers": JOHN}),
            ("get", "/users/me", {"headers": {"Authorization": "Bearer alice"}}),
        ],
    ),
    "OAuth2 scopes": (
        test_oauth2_scopes.oauth2_scopes,
        [("get", url, {"headers": JOHN}) for url in ("/users/me/", "/users/me/items/")],
    ),
    "Basic": (
        test_http_basic_auth.checked,
        [
            ("get", "/users/me", {"headers": test_http_basic_auth.basic("alice", "x")}),
            ("get", "/users/me", {}),
        ],
    ),
    "403": (test_authentication_error_status_code.forbidden, [("get", "/me", {})]),
}


@pytest.mark.parametrize("name", CASES)
def test_one_decorator_makes_the_same_of_a_plain_api(world, monkeypatch, name) -> None:
    """The same requests, the same answers, the same order of events as in FastAPI."""
    monkeypatch.setenv("ADMIN_EMAIL", "deadpool@example.com")
    example, requests = CASES[name]
    answers = Both(example, world, here=plain)
    for method, url, options in requests:
        answers.ask(method, url, **options)
    answers.events()  # the same on both, or it fails
