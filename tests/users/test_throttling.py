"""How often somebody may ask."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.users.conftest import PASSWORD, Api, Browser, at_once, make_user
from tests.users.conftest import login as send_form
from users import audit, conf, crud
from users.crud import counters
from users.dependencies.throttling import attempt_of
from users.models import AccessToken, ThrottleCounter, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("handler")]

FORM = {"username": "ann@example.com", "password": PASSWORD}
WRONG = {**FORM, "password": "wrong"}


@pytest.fixture(autouse=True)
def proxy(settings: Any) -> None:
    """Stand behind a proxy that says who the client is."""
    settings.TRUSTED_PROXY_COUNT = 1


def login(form: Any, client: str) -> Any:
    """Log in from *client*."""
    return send_form(form, headers={"X-Forwarded-For": client})


@pytest.fixture
def limits(settings: Any) -> Any:
    """Set limits; those not given are off."""

    def set_limits(**given: tuple[int, int]) -> None:
        names = ("login_client", "client", "login", "suspect", "anonymous", "address", "user")
        settings.API_THROTTLES = {name: given.get(name) for name in names}

    return set_limits


def statuses(*forms: Any, client: str = "192.0.2.1") -> list[int]:
    """Return how logins from one client are answered."""
    return [login(form, client=client).status_code for form in forms]


def test_what_holds_if_nothing_is_said(settings: Any) -> None:
    """One setting changes single limits."""
    del settings.API_THROTTLES
    known = {
        "login_client": (5, 300),
        "client": (30, 300),
        "login": (100, 86_400),
        "suspect": (2, 3_600),
        "anonymous": (60, 60),
        "address": (5, 3_600),
        "user": None,
    }
    names = known.keys()
    assert {name: conf.throttle(name) for name in names} == known
    settings.API_THROTTLES = {"client": None}
    assert {name: conf.throttle(name) for name in names} == {**known, "client": None}


@pytest.mark.asvs("2.4.1", "6.3.1")
@pytest.mark.rfc("6585", "4")
def test_the_sixth_failure_is_not_hashed(ann: User, hashed: list[str]) -> None:
    """429 says when to come back; the right password does not help either."""
    assert statuses(*[WRONG] * 5) == [400] * 5
    hashed.clear()
    for form in (WRONG, FORM, {**FORM, "username": " ANN@Example.com"}):
        response = login(form, client="192.0.2.1")
        assert (response.status_code, response.json()) == (429, {"detail": "Too many requests"})  # type: ignore[attr-defined]
        assert 295 <= int(response["Retry-After"]) <= 300
        assert "WWW-Authenticate" not in response.headers
    assert (hashed, AccessToken.objects.count()) == ([], 0)
    assert statuses(FORM, client="192.0.2.2") == [200]


@pytest.mark.asvs("6.3.8")
def test_an_unknown_login_is_throttled_alike(ann: User) -> None:
    """The answers are the same, bytes and all, whether there is such a user or not."""
    answers = []
    for username in (ann.email, "nobody@example.com", "no address", "x" * 10_000):
        form = {"username": username, "password": "wrong"}
        answers.append([login(form, client="192.0.2.1").content for _ in range(6)])
    assert answers[0][5] == b'{"detail":"Too many requests"}'
    assert answers == [answers[0]] * 4


def test_success_clears_the_failures(ann: User) -> None:
    """Who mistypes now and then is never shut out."""
    assert statuses(*[WRONG, WRONG, WRONG, WRONG, FORM] * 3) == [400, 400, 400, 400, 200] * 3


def test_spellings_share_a_budget(limits: Any, db: None) -> None:
    """Of addresses, and of what is none."""
    limits(login_client=(2, 300))
    for spellings in (["a@b.co", " A@B.CO", "a@b.co"], ["STRASSE", "straße", "\uff53trasse "]):
        forms = [{"username": one, "password": "x"} for one in spellings]
        assert statuses(*forms) == [400, 400, 429]


@pytest.mark.asvs("6.3.1")
def test_a_client_has_a_budget_for_all_logins(ann: User, limits: Any) -> None:
    """Only failures count; others are not affected."""
    limits(client=(3, 300))
    assert statuses(*[FORM] * 5) == [200] * 5
    forms = [{"username": f"u{n}@example.com", "password": "x"} for n in range(4)]
    assert statuses(*forms, FORM) == [400, 400, 400, 429, 429]
    assert statuses(FORM, client="192.0.2.2") == [200]


@pytest.mark.asvs("6.1.1", "6.3.1", "15.3.4")
def test_an_attacked_login_stays_open_where_it_is_known(
    ann: User, limits: Any, events: Any
) -> None:
    """When many clients attack a login, then each new one has two attempts, the owner's too."""
    limits(login=(3, 86_400), suspect=(2, 3_600))
    assert statuses(FORM, client="192.0.2.9") == [200]
    for n in range(3):
        assert statuses(WRONG, client=f"192.0.2.{n + 10}") == [400]
    for n in range(2):
        assert statuses(*[WRONG] * 3, FORM, client=f"192.0.2.{n + 20}") == [400, 400, 429, 429]
    assert statuses(*[WRONG] * 4, FORM, client="192.0.2.9") == [400] * 4 + [200]
    assert statuses(WRONG, FORM, FORM, client="192.0.2.30") == [400, 200, 200]
    alarms = [one for one in events() if one["event"] == "login_under_attack"]
    assert [(one["client"], one["outcome"]) for one in alarms] == [("192.0.2.20", "failure")]
    assert ann.email not in str(alarms)


@pytest.mark.asvs("2.4.1")
def test_open_endpoints_are_counted_by_client(ann: User, limits: Any) -> None:
    """All together; what is malformed, and what comes from another site, cost nothing."""
    limits(anonymous=(3, 60))
    browser = Browser()  # one
    body = {"email": ann.email, "password": "wrong"}
    answers = [
        browser.form("/auth/token", {"username": "a"}),
        browser.post("/auth/session", {}),
        Api().post("/auth/session", body),
        browser.form("/auth/token", FORM),  # two
        browser.post("/auth/session", body),  # three
        browser.get("/auth/csrf"),
        browser.form("/auth/token", FORM),
        browser.post("/auth/session", body),
    ]
    assert [one.status_code for one in answers] == [400, 422, 403, 200, 400, 429, 429, 429]
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert Api(ann).get("/users/me").status_code == 200


@pytest.mark.asvs("2.4.1")
def test_right_passwords_are_counted_too(ann: User, limits: Any, hashed: list[str]) -> None:
    """They are hashed like wrong ones: to change one's own, or to get into the admin site."""
    limits(anonymous=(2, 60))
    change = {"current_password": PASSWORD, "new_password": PASSWORD}
    browser = Browser(ann)  # one
    hashed.clear()
    assert browser.post("/auth/password", change).status_code == 204  # two
    browser.headers["X-CSRFToken"] = browser.client.cookies["csrftoken"].value
    assert browser.post("/auth/password", change).status_code == 429
    ann.refresh_from_db()
    assert Api(ann).post("/auth/password", change).status_code == 429
    form = {"username": ann.email, "password": PASSWORD}
    page = Client().post("/admin/login/", form)
    assert "Too many requests." in page.content.decode()
    assert len(hashed) == 2  # the current one, and the new one


@pytest.mark.asvs("2.4.1")
def test_users_are_counted_if_the_project_says_so(ann: User, limits: Any, root: User) -> None:
    """Each for themselves, by token and by browser, after authority and before objects."""
    limits(user=(2, 600))
    api = Api(ann)
    assert api.get("/users").status_code == 403
    answers = [one.get("/users/me").status_code for one in (api, Browser(ann), api)]
    assert answers == [200, 200, 429]
    other = Api(root)
    assert [other.get("/users/999999").status_code for _ in range(3)] == [404, 404, 429]


def test_what_is_switched_off_is_not_counted(ann: User, limits: Any) -> None:
    """Nothing is written for it."""
    limits()
    assert statuses(*[WRONG] * 7) == [400] * 7
    assert not ThrottleCounter.objects.exists()


def test_no_login_or_address_is_in_the_table(ann: User) -> None:
    """Keys are HMACs."""
    statuses(WRONG, FORM)
    table = str(list(ThrottleCounter.objects.values()))
    assert "192.0.2.1" not in table
    assert "ann" not in table
    assert all(len(key) == 64 for key in ThrottleCounter.objects.values_list("key", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_refused_request_has_been_counted(ann: User) -> None:
    """Counting is not part of what an error undoes."""
    statuses(WRONG)
    assert sorted(ThrottleCounter.objects.values_list("count", flat=True)) == [1, 1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_hashed_inside_a_transaction(ann: User, monkeypatch: Any) -> None:
    """Others would wait for it."""
    from django.contrib.auth import hashers

    states = []
    hasher = type(hashers.get_hasher())
    encode = hasher.encode

    def watch(*args: Any, **kwargs: Any) -> str:
        states.append(connection.in_atomic_block)
        return encode(*args, **kwargs)

    api, root = Api(ann), Api(User.objects.create_superuser("root@example.com", name="Root"))
    monkeypatch.setattr(hasher, "encode", watch)
    new = "another long passphrase"
    assert statuses(FORM, WRONG) == [200, 400]
    assert Browser().post("/auth/session", {"email": ann.email, "password": PASSWORD}).status_code
    body = {"name": "B", "email": "b@example.com", "password": new}
    assert root.post("/users", body).status_code == 201
    change = {"current_password": PASSWORD, "new_password": new}
    assert api.post("/auth/password", change).status_code == 200
    assert root.patch(f"/users/{ann.pk}", {"password": "yet another passphrase"}).status_code == 200
    assert states == [False] * 7


@pytest.mark.asvs("15.4.1")
@pytest.mark.django_db(transaction=True)
def test_thirty_two_at_once_are_counted_exactly(db: None) -> None:
    """Each gets a number of its own, from the first on."""
    for _ in range(2):
        hits = at_once(32, lambda _: crud.count("x", seconds=300))
        assert sorted(hit.count for hit in hits) == list(range(1, 33))
        crud.forget("x")


@pytest.mark.asvs("6.3.1", "15.4.2")
@pytest.mark.django_db(transaction=True)
def test_thirty_two_logins_at_once_get_five_hashes(
    ann: User, hashed: list[str], monkeypatch: Any
) -> None:
    """The sixth is refused, however close together they come."""
    from threading import BoundedSemaphore

    from users import hashing

    monkeypatch.setattr(hashing, "_slots", BoundedSemaphore(32))
    hashed.clear()
    answers = at_once(32, lambda _: login(WRONG, client="192.0.2.1").status_code)
    assert (answers.count(400), answers.count(429), len(hashed)) == (5, 27, 5)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_counted_inside_a_transaction(db: None) -> None:
    """It could be undone with it, so it is refused."""
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        crud.count("x", seconds=300)


def test_a_window_ends(db: None) -> None:
    """It begins with the first; then counting starts anew."""
    assert [crud.count("x", seconds=300).count for _ in range(3)] == [1, 2, 3]
    assert crud.count("x", seconds=300).retry_after == 300
    assert crud.count("x", "y", seconds=300).count == 1
    ThrottleCounter.objects.update(expires_at=timezone.now())
    assert [crud.count("x", seconds=60).count for _ in range(2)] == [1, 2]
    assert crud.count("x", seconds=300).retry_after == 60


def test_counting_is_two_statements(db: None) -> None:
    """After the first time."""
    crud.count("x", seconds=300)
    with CaptureQueriesContext(connection) as queries:
        crud.count("x", seconds=300)
    kinds = [query["sql"].split()[0] for query in queries]
    assert [kind for kind in kinds if kind in ("INSERT", "UPDATE", "SELECT")] == [
        "UPDATE",
        "SELECT",
    ]


def test_taking_back(db: None) -> None:
    """Never below nothing."""
    crud.count("x", seconds=300)
    for _ in range(2):
        crud.take_back("x")
    assert crud.count("x", seconds=300).count == 1


def test_remembering(db: None) -> None:
    """For a while, and longer if it is said again."""
    assert not crud.is_remembered("x")
    for _ in range(2):
        crud.remember("x", seconds=60)
        assert crud.is_remembered("x")
    past = timezone.now() - dt.timedelta(seconds=1)
    ThrottleCounter.objects.update(expires_at=past)
    assert not crud.is_remembered("x")
    crud.remember("x", seconds=60)
    assert crud.is_remembered("x")


def test_known_clients_are_forgotten(limits: Any, ann: User) -> None:
    """What is remembered for one login and client is not for others."""
    limits(login=(1, 86_400), suspect=(1, 3_600))
    make_user("bob@example.com")
    assert statuses(FORM) == [200]
    bob = {**FORM, "username": "bob@example.com"}
    wrong = {**bob, "password": "x"}
    assert statuses(wrong, wrong, bob, FORM) == [400, 400, 429, 200]


def test_half_a_surrogate_pair_is_a_login_like_others(db: None) -> None:
    """An unreadable one, but it is counted and does not fail."""
    attempt = attempt_of(RequestFactory().get("/"), " A\ud800 ")
    assert attempt.login == "a\\ud800"
    attempt.count()
    assert audit.pseudonym(attempt.login)


def test_addresses_are_not_asked_for_without_end(ann: User, root: User, limits: Any) -> None:
    """When users try address after address for themselves, then they are soon refused."""
    limits(address=(2, 3_600))
    api = Api(ann)
    wanted = [root.email, root.email, "ANN@example.com", "new@example.com"]
    answers = [
        api.patch("/users/me", {"email": email, "name": "A"}).status_code for email in wanted
    ]
    assert answers == [409, 409, 200, 429]
    assert api.patch("/users/me", {"name": "Ann"}).status_code == 200


@pytest.mark.parametrize(
    ("args", "lifted"),
    [
        (["ANN@example.com"], ["login"]),
        (["--client", "192.0.2.1"], ["client", "anonymous"]),
        (["ann@example.com", "--client", "192.0.2.1"], ["login", "client", "anonymous", "pair"]),
    ],
)
def test_a_limit_is_lifted(args: list[str], lifted: list[str], ann: User, limits: Any) -> None:
    """When an operator unthrottles a login or a client, then it may try again at once."""
    subjects = {
        "login": ("login", ann.email),
        "client": ("client", "192.0.2.1"),
        "anonymous": ("anonymous", "192.0.2.1"),
        "pair": ("login_client", ann.email, "192.0.2.1"),
    }
    for subject in subjects.values():
        crud.count(*subject, seconds=300)
    call_command("unthrottle", *args, stdout=StringIO())
    again = {name: crud.count(*subject, seconds=300).count for name, subject in subjects.items()}
    assert again == {name: 1 if name in lifted else 2 for name in subjects}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Give an email address, --client, or both."),
        (["--client", "nowhere"], "'nowhere' is no IP address."),
    ],
)
def test_what_cannot_be_lifted(args: list[str], message: str, db: None) -> None:
    """When the command is told no login and no client, then it says so in a line."""
    with pytest.raises(CommandError, match=message):
        call_command("unthrottle", *args)


@pytest.mark.parametrize(("old", "batches"), [(5, 3), (4, 2)])
def test_old_counters_are_purged_in_batches(
    old: int, batches: int, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When there are many old counters, then each batch is a short transaction."""
    monkeypatch.setattr(counters, "_PURGE_BATCH", 2)
    for number in range(old):
        crud.remember(str(number), seconds=-1)
    crud.remember("x", seconds=60)
    with CaptureQueriesContext(connection) as queries:
        assert crud.purge_counters() == old
    assert sum(one["sql"].startswith("DELETE") for one in queries) == batches
    assert crud.is_remembered("x")
