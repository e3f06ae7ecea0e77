"""API keys."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.views.decorators.csrf import csrf_exempt
from ninja import Body, File, UploadedFile

from di import Depends, HTTPException, NinjaAPI
from di.security import APIKeyCookie, APIKeyHeader, APIKeyQuery
from tests.di.conftest import World

TOKEN = "a" * 32
FORGED = {"cookies": {"key": "abc"}}
GENUINE = {"cookies": {"key": "abc", "csrftoken": TOKEN}, "headers": {"X-CSRFToken": TOKEN}}


@pytest.mark.row("I8")
def test_a_subclass_may_check_the_key(api: NinjaAPI, world: World) -> None:
    """All three ask `check_api_key`, and raise what `make_not_authenticated_error` makes."""

    class Checked:
        def check_api_key(self, api_key: str | None) -> str | None:
            if api_key != "abc":
                raise self.make_not_authenticated_error()
            return "Ann"

        def make_not_authenticated_error(self) -> HTTPException:
            return HTTPException(403, "No such key")

    for base in (APIKeyQuery, APIKeyHeader, APIKeyCookie):
        scheme = type("Scheme", (Checked, base), {})(name="key", scheme_name=base.__name__)

        @api.get(f"/{base.__name__}", url_name=base.__name__, operation_id=base.__name__)
        @world.view
        def view(request: HttpRequest, name: Any = Depends(scheme)) -> Any:
            return name

    world.serve(api)
    for path, sent in [
        ("/APIKeyQuery?key={}", {}),
        ("/APIKeyHeader", {"headers": {"key": "{}"}}),
        ("/APIKeyCookie", {"cookies": {"key": "{}"}}),
    ]:
        for key, status, body in [("abc", 200, "Ann"), ("x", 403, {"detail": "No such key"})]:
            options = {
                kind: {name: value.format(key) for name, value in values.items()}
                for kind, values in sent.items()
            }
            answer = world.get(path.format(key), **options)
            assert (answer.status_code, answer.json()) == (status, body)
            assert "WWW-Authenticate" not in answer.headers


def test_a_cookie_counts_with_a_csrf_token_only(api: NinjaAPI, world: World) -> None:
    """A browser sends it from any site; safe methods, and who asks for no check, pass."""
    strict, lenient = APIKeyCookie(name="key"), APIKeyCookie(name="key", auto_error=False)
    unchecked = APIKeyCookie(name="key", csrf=False)
    for scheme, name in [(strict, "strict"), (lenient, "lenient"), (unchecked, "unchecked")]:

        @api.api_operation(["GET", "POST"], f"/{name}", url_name=name)
        @world.view
        def view(request: HttpRequest, key: Any = Depends(scheme)) -> Any:
            return key

    @api.post("/exempt")
    @csrf_exempt
    @world.view
    def exempt(request: HttpRequest, key: Any = Depends(strict)) -> Any:
        return key

    world.serve(api)
    world.checks_csrf = True
    answers = {}
    for path in ("/strict", "/lenient", "/unchecked", "/exempt"):
        asked = [world.post(path, **FORGED), world.post(path, **GENUINE), world.post(path)]
        answers[path] = [(one.status_code, one.json()) for one in asked]
    nothing = (401, {"detail": "Not authenticated"})
    assert answers == {
        "/strict": [(403, {"detail": "CSRF check failed"}), (200, "abc"), nothing],
        "/lenient": [(200, None), (200, "abc"), (200, None)],
        "/unchecked": [(200, "abc"), (200, "abc"), nothing],
        "/exempt": [(200, "abc"), (200, "abc"), nothing],
    }
    assert world.get("/strict", **FORGED).json() == "abc"


FORM = (
    '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    f"{'x' * 3_000_000}\r\n--b--\r\n"
)


def test_a_form_where_json_belongs(api: NinjaAPI, world: World) -> None:
    """Cannot be parsed, as without the check, which has read it in search of its token.

    A file may be larger than what is kept of a body in memory, then as ever.
    """

    @api.post("/json")
    @world.view
    def take_json(
        request: HttpRequest, key: Any = Depends(APIKeyCookie(name="key")), name: str = Body()
    ) -> Any:
        return name

    @api.post("/file")
    @world.view
    def take_file(
        request: HttpRequest,
        key: Any = Depends(APIKeyCookie(name="key")),
        file: UploadedFile = File(),
    ) -> Any:
        return file.size

    world.serve(api)
    world.checks_csrf = True
    form = {"data": FORM, "content_type": "multipart/form-data; boundary=b", **GENUINE}
    refused = world.request("post", "/json", **form)
    small = world.request("post", "/json", **{**form, "data": "--b--\r\n"})
    for answer in (refused, small):
        assert (answer.status_code, answer.json()) == (400, {"detail": "Cannot parse request body"})
    assert world.request("post", "/file", **form).json() == 3_000_000
