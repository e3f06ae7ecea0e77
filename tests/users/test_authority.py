"""What a caller may do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from ninja.operation import PathView

from project.api import api as the_api
from tests.users.conftest import Api, Browser, make_user, rows
from tests.users.hostile import bearing
from tests.users.test_api import NEW, REALM
from users.dependencies.credentials import make_bearer
from users.models import User
from users.scopes import SCOPES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

OPEN = {("POST", "/auth/token"), ("POST", "/auth/session"), ("GET", "/auth/csrf")}
ANY_CALLER = {("POST", "/auth/revoke"), ("DELETE", "/auth/session")}

NEEDS = {
    ("GET", "/users"): "users:read",
    ("POST", "/users"): "users:write",
    ("GET", "/users/{user_id}"): "users:read",
    ("PATCH", "/users/{user_id}"): "users:write",
    ("DELETE", "/users/{user_id}"): "users:delete",
    ("GET", "/users/me"): "me",
    ("PATCH", "/users/me"): "me",
    ("GET", "/users/me/items"): "items",
    ("GET", "/auth/tokens"): "me",
    ("DELETE", "/auth/tokens"): "me",
    ("GET", "/auth/tokens/{key}"): "me",
    ("DELETE", "/auth/tokens/{key}"): "me",
    ("POST", "/auth/password"): "me",
}


def operations() -> set[tuple[str, str]]:
    """Return method and path of every operation of users, as the API has them."""
    found = set()
    for prefix, router in the_api._routers:
        views: dict[str, PathView] = router.path_operations
        for path, view in views.items():
            for operation in view.operations:
                whole = re.sub(r"\{\w+:", "{", f"{prefix}{path}")
                found.update((method, whole) for method in operation.methods)
    return {one for one in found if one[1].startswith(("/users", "/auth"))}


@pytest.mark.asvs("8.2.1")
def test_every_operation_is_in_one_of_three_lists() -> None:
    """A new one cannot be forgotten: it is open, for any caller, or needs a scope."""
    assert operations() == OPEN | ANY_CALLER | NEEDS.keys()
    assert set(NEEDS.values()) <= SCOPES.keys()


def call(api: Api, method: str, path: str) -> Any:
    """Call an operation with a body that is no good: authority comes first."""
    path = path.replace("{user_id}", "1").replace("{key}", "x" * 12)
    return api.request(method.lower(), path, "{broken" if method in ("POST", "PATCH") else None)


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize(("method", "path"), sorted(ANY_CALLER | NEEDS.keys()))
def test_nobody_is_asked_to_log_in(method: str, path: str, db: None) -> None:
    """401, before the body is looked at."""
    response = call(Api(), method, path)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, REALM)


@pytest.mark.asvs("8.2.1")
@pytest.mark.rfc("6750", "3")
@pytest.mark.rfc("6750", "3.1")
@pytest.mark.parametrize(("method", "path"), sorted(NEEDS))
def test_a_token_without_the_scope_is_not_enough(method: str, path: str, root: User) -> None:
    """Then 403 names the scope in detail and header, for superusers and other scopes, too."""
    needed = NEEDS[method, path]
    before = rows()
    for others in ("", " ".join(SCOPES.keys() - {needed})):
        response = call(Api(root, others), method, path)
        assert response.status_code == 403
        detail = f"Not enough permissions: the token lacks {needed}"
        assert response.json() == {"detail": detail}
        challenge = f'{REALM}, error="insufficient_scope", scope="{needed}"'
        assert response.headers["WWW-Authenticate"] == challenge
    assert rows() == (before[0], before[1] + 2)


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("who", [Api, Browser])
@pytest.mark.parametrize(
    ("method", "path"), sorted(key for key, needed in NEEDS.items() if SCOPES[needed].permissions)
)
def test_the_permission_is_needed_now(who: Any, method: str, path: str, ann: User) -> None:
    """403 without a challenge, in a browser too: to log in again could not help."""
    before = rows()[0]
    response = call(who(ann), method, path)
    assert (response.status_code, response.json()) == (403, {"detail": "Permission denied"})
    assert "WWW-Authenticate" not in response.headers
    assert rows()[0] == before


WHO = {
    "nobody": lambda root: Api(),
    "no scope": lambda root: Api(root, ""),
    "by token": Api,
    "in a browser": Browser,
    "by a bad token": lambda root: bearing("x"),
}


@pytest.mark.cve("2026-35193")
@pytest.mark.asvs("14.2.2")
@pytest.mark.hostile("H98")
@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path"), sorted(operations()))
def test_no_answer_is_kept_by_a_cache(who: str, method: str, path: str, root: User) -> None:
    """No answer, refusals included; and one that is kept all the same is for its caller."""
    response = call(WHO[who](root), method, path)
    assert response.headers["Cache-Control"] == "no-store"
    assert {"Authorization", "Cookie"} <= set(response.headers["Vary"].split(", "))
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def document(client: Any) -> Any:
    return client.get("/api/openapi.json").json()


@pytest.mark.parametrize(("method", "path"), sorted(operations()))
def test_the_document_says_what_is_needed(method: str, path: str, client: Any) -> None:
    """A token with a scope, or a browser session; or nothing."""
    operation = document(client)["paths"][f"/api{path}"][method.lower()]
    by_token = {"bearer": [NEEDS[method, path]] if (method, path) in NEEDS else []}
    expected = [by_token, {"session": []}]
    if (method, path) in OPEN:
        expected = None
    elif path == "/auth/session":
        expected = [{"session": []}]
    assert operation.get("security") == expected


@pytest.mark.parametrize("by_password", [True, False])
def test_the_document_says_how_to_get_in(by_password: bool, client: Any, settings: Any) -> None:
    """With all scopes there are; by password only where that is allowed."""
    settings.API_PASSWORD_LOGIN = by_password
    schemes = document(client)["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "session"}
    assert {name: schemes["session"][name] for name in ("type", "in", "name")} == {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
    }
    model = make_bearer().model
    if by_password:
        allowed = {name: scope.allows for name, scope in SCOPES.items()}
        flow = {"tokenUrl": "/api/auth/token", "scopes": allowed}
        assert schemes["bearer"]["flows"] == {"password": flow}
        assert model["type"] == "oauth2"
    else:
        assert (model["type"], model["scheme"], "flows" in model) == ("http", "bearer", False)


def test_add_and_change_are_two_permissions(db: None) -> None:
    """One scope to write, and for each method its own permission."""
    adder, changer = make_user("a@b.co", "add_user"), make_user("c@d.co", "change_user")
    assert Api(adder).post("/users", NEW).status_code == 201
    assert Api(adder).patch(f"/users/{adder.pk}", {"name": "X"}).status_code == 403
    assert Api(changer).post("/users", NEW).status_code == 403
    assert Api(changer).patch(f"/users/{changer.pk}", {"name": "X"}).status_code == 200


def test_a_browser_session_has_all_scopes(manager: User, ann: User) -> None:
    """First party: what the user may do, the page may do."""
    api = Browser(manager)
    assert api.get("/users").status_code == 200
    assert api.get("/users/me/items").json() == [{"item_id": "Foo", "owner": "Manager"}]  # type: ignore[attr-defined]
    assert api.patch(f"/users/{ann.pk}", {"name": "Anne"}).status_code == 200
    assert api.patch(f"/users/{ann.pk}", {"is_staff": True}).status_code == 403


def test_items(ann: User) -> None:
    """Everybody's own, with the scope for it."""
    response = Api(ann, "items").get("/users/me/items")
    assert response.json() == [{"item_id": "Foo", "owner": "Ann"}]  # type: ignore[attr-defined]


@pytest.mark.asvs("8.2.2")
@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_nobody_learns_which_ids_there_are(method: str, ann: User, root: User) -> None:
    """Without authority one's own id, another's and none answer with the same bytes."""
    api = Api(ann)
    body = {"name": "X"} if method == "patch" else None
    answers = {
        (response.status_code, response.content)
        for user_id in (ann.pk, root.pk, 999_999, 2**63)
        for response in [api.request(method, f"/users/{user_id}", body)]
    }
    assert answers == {(403, b'{"detail":"Permission denied"}')}


PRIVILEGED = [{"is_staff": True}, {"is_superuser": True}, {"groups": []}]


@pytest.mark.asvs("8.2.3")
@pytest.mark.parametrize("body", PRIVILEGED)
def test_privileges_need_the_scope_and_a_superuser(body: Any, manager: User, root: User) -> None:
    """Whether there is such a user or not."""
    before = list(User.objects.values())
    for user_id in (manager.pk, root.pk, 999_999):
        response = Api(root, "users:write").patch(f"/users/{user_id}", body)
        challenge = f'{REALM}, error="insufficient_scope", scope="users:admin"'
        assert (response.status_code, response["WWW-Authenticate"]) == (403, challenge)
        response = Api(manager).patch(f"/users/{user_id}", body)
        assert (response.status_code, response.json()) == (403, {"detail": "Permission denied"})  # type: ignore[attr-defined]
    assert list(User.objects.values()) == before
    assert not User.groups.through.objects.exists()


@pytest.mark.asvs("8.2.2")
def test_superusers_are_out_of_reach_without_the_scope(root: User) -> None:
    """Also for superusers: the token decides what it can do, not only who holds it."""
    other = User.objects.create_superuser("other@example.com", name="Other")
    api = Api(root, "users:write users:delete me")
    assert api.patch(f"/users/{other.pk}", {"name": "X"}).status_code == 403
    assert api.delete(f"/users/{other.pk}").status_code == 403
    assert api.patch("/users/me", {"name": "Still me"}).status_code == 200
    assert Api(root).patch(f"/users/{other.pk}", {"name": "X"}).status_code == 200
    assert Api(root).delete(f"/users/{other.pk}").status_code == 204


def test_privileges_are_changed_by_superusers(root: User, ann: User) -> None:
    """Flags and groups; unchanged ones are not written."""
    groups = [Group.objects.create(name=name) for name in ("one", "two")]
    api = Api(root)
    ids = [groups[1].pk, groups[0].pk]
    assert api.patch(f"/users/{ann.pk}", {"is_staff": True, "groups": ids}).status_code == 200
    ann.refresh_from_db()
    assert (ann.is_staff, ann.is_superuser, list(ann.groups.order_by("pk"))) == (
        True,
        False,
        groups,
    )
    assert api.patch(f"/users/{ann.pk}", {"groups": []}).status_code == 200
    assert not ann.groups.exists()


@pytest.mark.asvs("2.2.1", "15.3.5")
@pytest.mark.parametrize(
    "ids", [[0], [-1], [2**31], [2**63], [999_999], [1, 1], ["1"], [True], None, 1, [1] * 101]
)
def test_groups_have_bounds(ids: Any, root: User, ann: User) -> None:
    """422, and never an error of the database."""
    response = Api(root).patch(f"/users/{ann.pk}", {"groups": ids})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"][:3] == ["body", "changes", "groups"]  # type: ignore[attr-defined]
    assert not ann.groups.exists()


@pytest.mark.asvs("8.3.2")
def test_the_last_superuser_cannot_be_demoted(root: User) -> None:
    """409 by themselves; of two, one can."""
    api = Api(root)
    for body in ({"is_superuser": False}, {"is_active": False}):
        response = api.patch(f"/users/{root.pk}", body)
        assert response.status_code == 409
        assert response.json() == {"detail": "The last active superuser must stay"}  # type: ignore[attr-defined]
    User.objects.create_superuser("other@example.com", name="Other")
    assert api.patch(f"/users/{root.pk}", {"is_superuser": False}).status_code == 200
    assert api.get("/users").status_code == 403


VIEW, EVERY = "users.view_user", ["add", "change", "delete", "view"]


def test_callers_are_told_their_own_permissions(manager: User, root: User, ann: User) -> None:
    """When a caller asks for themselves, then they hear what their credentials can do now."""

    def told(api: Api) -> tuple[list[str], list[str]]:
        me: Any = api.get("/users/me").json()  # type: ignore[attr-defined]
        return me["scopes"], me["permissions"]

    every = [f"users.{name}_user" for name in EVERY]
    assert told(Api(ann)) == (["me", "items"], [])
    assert told(Api(manager, "me users:read")) == (["me", "users:read"], every)
    assert told(Api(root)) == (list(SCOPES), every)
    assert told(Browser(manager)) == ([name for name in SCOPES if name != "users:admin"], every)
    api = Api(manager)
    manager.user_permissions.set(Permission.objects.filter(codename="view_user"))
    assert told(api) == (["me", "items", "users:read"], [VIEW])
