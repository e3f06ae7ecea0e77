"""What an attacker may try, and what must hold after every attempt.

That each check of the verification path is needed is shown by taking it away: the test at
the end rewrites one condition, and the case that guards it fails.
"""

from __future__ import annotations

import inspect
import json
import logging
import textwrap
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.users.conftest import PASSWORD, Api
from tests.users.hostile import CASES, NEW_PASSWORD, WRONG, Case, People
from users import models, tokens
from users.dependencies import authority, credentials
from users.models import AccessToken, AuditEntry, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

LEAKS = ("Traceback", "SELECT", "users_user", "dnt_", "pbkdf2", "md5$", PASSWORD, NEW_PASSWORD)


@pytest.fixture
def people(db: None, settings: Any) -> People:
    """Who is there, and settings that a case may change."""
    return People(settings)


def stored() -> Any:
    """Return all that an attempt could change; it may note that a token was used."""
    tables = (User.objects, AccessToken.objects.defer("last_used_at"), AuditEntry.objects)
    rows = [list(table.order_by("pk").values()) for table in tables]
    for row in rows[1]:
        del row["last_used_at"]
    return rows, list(User.groups.through.objects.values())


def check(case: Case, people: People, hashed: list[str]) -> None:
    """Make the attempt and look at everything that must hold."""
    attempt = case.arrange(people)
    tokens_before = AccessToken.objects.count()
    before = stored()
    hashed.clear()
    with CaptureQueriesContext(connection) as queries:
        response = attempt()
    assert response.status_code == case.status
    text = response.content.decode()
    if case.status != 204:
        answer = json.loads(text)
        assert case.body is None or answer == case.body
    if case.fields is not None:
        assert {error["loc"][-1] for error in answer["detail"]} == case.fields
    assert response.headers.get("WWW-Authenticate") == case.challenge
    for name, value in case.headers.items():
        assert response.headers[name] == value
    if case.queries is not None:
        assert len(queries) == case.queries
    if case.hashes is not None:
        assert len(hashed) == case.hashes
    if case.status >= 400:
        assert not [leak for leak in LEAKS if leak in text]
        issued = AccessToken.objects.order_by("pk")[tokens_before:]
        AccessToken.objects.filter(pk__in=[one.pk for one in issued]).delete()
        assert stored() == before
    if answer != {"detail": "Not Found"}:  # no operation at all
        assert response.headers["Cache-Control"] == "no-store"
        assert {"Authorization", "Cookie"} <= set(response.headers["Vary"].split(", "))
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_hostile(
    case: Case, people: People, hashed: list[str], caplog: pytest.LogCaptureFixture, events: Any
) -> None:
    """The answer is as it should be, nothing has changed, nothing leaks, the rest works."""
    with caplog.at_level(logging.DEBUG):
        check(case, people, hashed)
        api = Api(User.objects.create_superuser("somebody@example.com", name="Else"))
        assert api.get("/users").status_code == 200
    logged = caplog.text + json.dumps(events())
    digests = AccessToken.objects.values_list("digest", flat=True)
    for secret in (PASSWORD, NEW_PASSWORD, WRONG["password"], api.text, *digests):
        assert secret not in logged


MUTATIONS = [
    (models.AccessToken, "matches", "return any(", "return True or any(", "H11"),
    (models.AccessToken, "refusal", "self.revoked_at is not None", "False", "H15-0"),
    (models.AccessToken, "refusal", "self.expires_at <= now", "False", "H14"),
    (models.AccessToken, "refusal", "not self.user.is_active", "False", "H17-0"),
    (models.AccessToken, "refusal", "not self._has_fingerprint()", "False", "H16-5"),
    (models.User, "save", "self.locked_out_at = timezone.now()", "pass", "H17s"),
    (models.User, "_get_session_auth_hash", "self.locked_out_at is None", "True", "H17s"),
    (models.User, "_renew_hash", "stamped.update(", "dict(", "H19"),
    (tokens, "recognize", "_checksum(text[:-_CHECKSUM_LENGTH]) != found", "'' == found", "H13-0"),
    (authority, "require", "if missing:", "if False:", "H21-0"),
    (authority, "require", "not all(", "not any([True]) and all(", "H22-0"),
    (credentials, "session_user", "request.method not in _SAFE_METHODS", "False", "H27-0"),
    (credentials, "enforce_csrf", "check_csrf(request) is not None", "False", "H27-2"),
]


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize(
    ("owner", "name", "condition", "changed", "guard"),
    MUTATIONS,
    ids=[f"{guard}-{name}" for _, name, _, _, guard in MUTATIONS],
)
def test_each_check_is_needed(
    owner: Any,
    name: str,
    condition: str,
    changed: str,
    guard: str,
    is_there: bool,
    people: People,
    hashed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With it its guard passes, without it the guard fails."""
    original = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(original))
    assert source.count(condition) == 1
    if not is_there:
        source = source.replace(condition, changed)
    # What it is in is a function, so that super() finds its class there.
    outer = f"def make(__class__):\n{textwrap.indent(source, '    ')}\n    return {name}"
    code = f"from __future__ import annotations\n{outer}"
    names: dict[str, Any] = {}
    exec(compile(code, f"<{name}>", "exec"), original.__globals__, names)  # noqa: S102 - our own code
    monkeypatch.setattr(owner, name, names["make"](owner))
    (case,) = (case for case in CASES if case.id == guard)
    if is_there:
        check(case, people, hashed)
    else:
        with pytest.raises(AssertionError):
            check(case, people, hashed)
