"""The security log."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.auth import logout
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from tests.users.conftest import PASSWORD, Api, Browser, login, make_user
from users import audit, crud, tokens
from users.models import AccessToken, AuditEntry, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("handler")]

FORM = {"username": "ann@example.com", "password": PASSWORD}
NEW_PASSWORD = "another long passphrase"


def key_of(api: Api) -> str:
    recognized = tokens.recognize(api.text)
    assert recognized is not None
    return recognized.key


def failure(event: str, **details: Any) -> dict[str, Any]:
    return {"event": event, "outcome": "failure", "client": "127.0.0.1", **details}


def success(event: str, **details: Any) -> dict[str, Any]:
    return {"event": event, "outcome": "success", "client": "127.0.0.1", **details}


@pytest.mark.asvs("16.2.5", "16.3.1", "16.3.3")
def test_logins(ann: User, events: Any, settings: Any) -> None:
    """Which failed, with what stands for the login; which succeeded, with the user."""
    settings.API_THROTTLES = {"login_client": (1, 300)}
    unknown = {"username": "S3cret!", "password": "x"}
    for form in ({**FORM, "username": "ANN@example.com"}, unknown, unknown):
        login(form)
    token = AccessToken.objects.get()
    somebody = audit.pseudonym("s3cret!")
    assert events() == [
        success("login_succeeded", user=ann.pk),
        success("token_issued", user=ann.pk, token=token.key),
        failure("login_failed", login=somebody),
        failure("login_throttled", login=somebody),
    ]


@pytest.mark.asvs("16.3.1", "16.3.2")
def test_browsers(ann: User, events: Any) -> None:
    """Where a session started, who was stopped at the CSRF check, and who logged out."""
    api = Browser()
    body = {"email": ann.email, "password": PASSWORD}
    assert api.post("/auth/session", body).status_code == 200
    assert api.patch("/users/me", {"name": "X"}).status_code == 403
    assert events() == [
        success("login_succeeded", user=ann.pk),
        success("session_started", user=ann.pk, path="/api/auth/session"),
        failure("csrf_failed", operation="PATCH /api/users/me"),
    ]
    api.refresh()
    assert api.delete("/auth/session").status_code == 204
    assert events()[3:] == [success("session_ended", user=ann.pk)]


def test_nobody_logs_out(rf: RequestFactory, events: Any) -> None:
    """Nothing has ended."""
    request = rf.post("/")
    request.session = SessionStore()
    logout(request)
    assert events() == []


@pytest.mark.asvs("16.2.1", "16.3.1", "16.3.2")
def test_tokens(ann: User, events: Any) -> None:
    """Used for the first time, revoked, refused; by key."""
    api = Api(ann, "me")
    key = key_of(api)
    for _ in range(2):
        assert api.get("/users/me").status_code == 200
    assert api.get("/users").status_code == 403
    assert api.delete("/auth/tokens").status_code == 204
    assert api.get("/users/me").status_code == 401
    assert Api().get("/users/me", headers={"Authorization": "Bearer x"}).status_code == 401
    assert events() == [
        {"event": "token_issued", "outcome": "success", "user": ann.pk, "token": key},
        success("token_first_used", user=ann.pk, token=key),
        failure(
            "permission_denied",
            user=ann.pk,
            token=key,
            operation="GET /api/users",
            missing_scope="users:read",
        ),
        success("token_revoked", user=ann.pk, token=key),
        failure("token_rejected", token=key, reason="revoked"),
        failure("token_rejected", reason="malformed"),
    ]


@pytest.mark.asvs("16.2.1")
def test_users(root: User, events: Any) -> None:
    """Created, changed, deactivated, deleted: who, whom, and what of the privileges."""
    api = Api(root)
    group = Group.objects.create(name="one")
    made = api.post("/users", {"name": "B", "email": "b@example.com"}).json()  # type: ignore[attr-defined]
    path = f"/users/{made['id']}"
    changes = (
        {"is_staff": True, "groups": [group.pk]},
        {"name": "Bob", "password": NEW_PASSWORD},
        {"is_active": False, "is_staff": True},
        {"is_active": True},
    )
    assert [api.patch(path, change).status_code for change in changes] == [200] * 4
    assert api.delete(path).status_code == 204
    both = {"user": root.pk, "whom": made["id"]}
    assert events()[2:] == [
        success("user_created", **both),
        success("privilege_changed", privilege="is_staff", old=False, new=True, **both),
        success("privilege_changed", privilege="groups", old=[], new=[group.pk], **both),
        success("password_changed", **both),
        success("user_deactivated", **both),
        success("user_activated", **both),
        success("user_deleted", **both),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.event, entry.actor_id, entry.target_id) == (
        "user_deleted",
        str(root.pk),
        str(made["id"]),
    )


@pytest.mark.asvs("2.3.3", "16.5.3")
def test_what_was_undone_did_not_happen(root: User, ann: User, events: Any) -> None:
    """A refused write logs nothing that it would have done."""
    api = Api(root)
    taken = {"name": "X", "email": ann.email, "is_staff": True}
    assert api.patch(f"/users/{root.pk}", taken).status_code == 409
    assert api.delete(f"/users/{root.pk}").status_code == 409
    assert [one["event"] for one in events()] == ["token_issued", "token_first_used"]
    assert not AuditEntry.objects.exists()


@pytest.mark.asvs("16.3.2")
def test_a_denied_browser_has_no_token(ann: User, events: Any) -> None:
    """And no scope is missing."""
    assert Browser(ann).delete("/users/1").status_code == 403
    assert events()[1:] == [
        failure("permission_denied", user=ann.pk, operation="DELETE /api/users/1")
    ]


@pytest.mark.asvs("16.3.2")
def test_who_reaches_for_a_superuser(manager: User, root: User, events: Any) -> None:
    """Is denied it as what needs a permission is."""
    api = Api(manager)
    for method, body in (("patch", {"name": "X"}), ("delete", None)):
        assert api.request(method, f"/users/{root.pk}", body).status_code == 403
    both = {"user": manager.pk, "whom": root.pk}
    assert events()[2:] == [
        failure("permission_denied", operation=f"{method} /api/users/{root.pk}", **both)
        for method in ("PATCH", "DELETE")
    ]


@pytest.mark.asvs("16.3.1")
def test_a_changed_password(ann: User, events: Any) -> None:
    """By its owner, and which tokens that ended."""
    api = Api(ann)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert api.post("/auth/password", body).status_code == 200
    token = AccessToken.objects.get(revoked_at=None)
    assert events()[1:] == [
        success("token_first_used", user=ann.pk, token=key_of(api)),
        success("login_succeeded", user=ann.pk),
        success("token_revoked", user=ann.pk, token=key_of(api)),
        success("password_changed", user=ann.pk, whom=ann.pk),
        success("token_issued", user=ann.pk, token=token.key),
    ]


@pytest.mark.asvs("16.2.5")
def test_nothing_secret_is_logged(ann: User, caplog: pytest.LogCaptureFixture, events: Any) -> None:
    """Neither password nor token, whatever happens to them; not in any log."""
    with caplog.at_level(logging.DEBUG):
        answer = login(FORM).json()  # type: ignore[attr-defined]
        login({**FORM, "password": "mistyped-passphrase"})
        login({**FORM, "username": "typed-passphrase-here"})
        api = Api()
        api.headers["Authorization"] = f"Bearer {answer['access_token']}"
        api.get("/users")
        api.form("/auth/revoke", {"token": answer["access_token"]})
        api.get("/users/me")
    logged = caplog.text + json.dumps(events())
    digests = AccessToken.objects.values_list("digest", "fingerprint").get()
    passwords = (PASSWORD, "mistyped-passphrase", "typed-passphrase-here")
    for secret in (*passwords, answer["access_token"], *digests):
        assert secret not in logged
    assert "token_rejected" in logged


def test_a_pseudonym_is_the_same_each_time() -> None:
    """And another for another login, and nothing to recognize it by."""
    assert audit.pseudonym("ann") == audit.pseudonym("ann") != audit.pseudonym("bob")
    assert len(audit.pseudonym("ann")) == 16


@pytest.mark.asvs("15.3.4")
def test_an_event_knows_its_request(rf: RequestFactory, events: Any) -> None:
    """While it lasts, and the outer one afterwards; a command has none."""
    with audit.caused_by(rf.get("/", REMOTE_ADDR="192.0.2.1")):
        with audit.caused_by(rf.get("/", REMOTE_ADDR="192.0.2.2")):
            audit.record("inner")
        audit.record("outer", user=None, whom=7)
    audit.record("none", outcome="failure")
    assert events() == [
        {"event": "inner", "outcome": "success", "client": "192.0.2.2"},
        {"event": "outer", "outcome": "success", "client": "192.0.2.1", "whom": 7},
        {"event": "none", "outcome": "failure"},
    ]


def test_audit_entries_stay(ann: User) -> None:
    """They can be neither changed nor deleted, and outlive who they are about."""
    entry = AuditEntry.objects.create(event="user_deleted", actor_id="1", target_id="2")
    with pytest.raises(TypeError, match="changed"):
        entry.save()
    with pytest.raises(TypeError, match="deleted"):
        entry.delete()
    assert str(entry) == "user_deleted: 2 by 1"
    other = make_user("bob@example.com")
    User.objects.all().delete()
    assert other.pk
    assert AuditEntry.objects.get() == entry


def test_counters_have_a_name() -> None:
    """Their key, which says nothing."""
    from users.models import ThrottleCounter

    assert str(ThrottleCounter(key="x")) == "x"


@pytest.mark.asvs("16.3.3")
def test_forged_tokens_are_told_apart(ann: User, events: Any) -> None:
    """A key that exists with another secret is an attack; the log says so."""
    api = Api(ann)
    body = f"dnt_{key_of(api)}_{tokens.generate().text[17:-6]}"
    api.headers["Authorization"] = f"Bearer {body}{tokens._checksum(body)}"
    assert api.get("/users/me").status_code == 401
    assert events()[1:] == [failure("token_rejected", token=key_of(api), reason="wrong secret")]
    assert crud.find_token(key=key_of(api)).last_used_at is None  # type: ignore[union-attr]
