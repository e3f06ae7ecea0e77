"""One example, two hosts: the same source as a FastAPI app and as an API of ours.

An example is a function of a host that returns its application. It finds on the host what
its page imports from FastAPI, under the same name. Its views take the request first, as
Ninja's do and FastAPI's may.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import urlencode

import fastapi
import fastapi.exceptions
import fastapi.responses
import fastapi.security
import ninja
import ninja.errors
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from fastapi.testclient import TestClient

import di
import di.security
from tests.di.conftest import World

Example = Callable[[Any], Any]


def theirs() -> Any:
    """Return FastAPI as a host."""
    return SimpleNamespace(
        Depends=fastapi.Depends,
        Security=fastapi.Security,
        SecurityScopes=fastapi.security.SecurityScopes,
        HTTPException=fastapi.HTTPException,
        Request=fastapi.Request,
        Response=fastapi.Response,
        JSONResponse=fastapi.responses.JSONResponse,
        StreamingResponse=fastapi.responses.StreamingResponse,
        BackgroundTasks=fastapi.BackgroundTasks,
        Body=fastapi.Body,
        Cookie=fastapi.Cookie,
        Form=fastapi.Form,
        Header=fastapi.Header,
        security=fastapi.security,
        app=fastapi.FastAPI,
        router=fastapi.APIRouter,
        include=_include,
        named=lambda name: {},
        ValidationError=fastapi.exceptions.RequestValidationError,
        answer=lambda content, status: {"content": content, "status_code": status},
        returns=lambda model, status=200: {"response_model": model, "status_code": status},
        view=lambda view: view,
        stream=lambda items: items,
        events=[],
    )


def ours(world: World) -> Any:
    """Return `di` in *world* as a host."""
    return SimpleNamespace(
        Depends=di.Depends,
        Security=di.Security,
        SecurityScopes=di.SecurityScopes,
        HTTPException=di.HTTPException,
        Request=HttpRequest,
        Response=HttpResponse,
        JSONResponse=JsonResponse,
        StreamingResponse=StreamingHttpResponse,
        BackgroundTasks=di.BackgroundTasks,
        Body=ninja.Body,
        Cookie=ninja.Cookie,
        Form=ninja.Form,
        Header=ninja.Header,
        security=di.security,
        app=lambda **options: di.NinjaAPI(urls_namespace="api", **options),
        router=di.Router,
        include=_add_router,
        named=lambda name: {"url_name_prefix": name},
        ValidationError=ninja.errors.ValidationError,
        answer=lambda content, status: {"data": content, "status": status},
        returns=lambda model, status=200: {"response": {status: model}},
        view=world.view,
        stream=_aiterate if world.is_asgi else lambda items: items,
        events=[],
    )


def plain(world: World) -> Any:
    """Return Ninja itself as a host, whose views `di.inject` decorates."""
    host = ours(world)
    host.app = lambda: ninja.NinjaAPI(urls_namespace="api")
    host.view = lambda view: di.inject(world.view(view))
    return host


class Answer(NamedTuple):
    """What is compared: of a 422, only where each error is; of a crash, that it is one."""

    status: int
    content: Any
    headers: Mapping[str, str] = {}
    cookies: Mapping[str, str] = {}


class Both:
    """An example on both hosts; *here* makes ours."""

    def __init__(self, example: Example, world: World, here: Callable[[World], Any] = ours) -> None:
        self.world = world
        self.hosts = {"theirs": theirs(), "ours": here(world)}
        self.original = example(self.hosts["theirs"])
        self.api = example(self.hosts["ours"])
        world.serve(self.api)

    def ask(self, method: str, url: str, **options: Any) -> Answer:
        """Send one request to both, require the same answer and return it.

        Args:
            method: of HTTP, in lower case.
            url: its path and query.
            **options: ``headers`` and ``cookies`` of the request, and ``data``, which is
                sent as JSON, or ``form``, which is sent as a form.
        """
        answer = self.ask_ours(method, url, **options)
        assert answer == self.ask_theirs(method, url, **options)
        return answer

    def ask_theirs(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """Send one request to FastAPI only; see `ask`."""
        content_type, text = _encoded(**body)
        sent = {"Content-Type": content_type, **(headers or {})} if text else dict(headers or {})
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        client = TestClient(self.original, raise_server_exceptions=False)
        response = client.request(method, url, content=text, headers=sent)
        return _answer(response.status_code, response.content, response.headers, client.cookies)

    def ask_ours(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        """Send one request to ours only; see `ask`."""
        content_type, text = _encoded(**body)
        response = self.world.request(
            method,
            url,
            data=text,
            content_type=content_type,
            headers=dict(headers or {}),
            cookies=cookies,
        )
        received = {name: morsel.value for name, morsel in response.cookies.items()}
        return _answer(response.status_code, response.content, response.headers, received)

    def get(self, url: str, **options: Any) -> Answer:
        """See `ask`."""
        return self.ask("get", url, **options)

    def post(self, url: str, data: object = None, **options: Any) -> Answer:
        """See `ask`."""
        return self.ask("post", url, data=data, **options)

    def events(self) -> list[str]:
        """Return what the examples noted on their host, which must be the same."""
        noted = self.hosts["ours"].events
        assert noted == self.hosts["theirs"].events
        return noted

    def stream(self, url: str) -> bytes:
        """Read a streamed answer of both to its end, require the same and return it."""
        streamed = self.world.get_stream(url)
        assert streamed == TestClient(self.original).get(url).content
        return streamed

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return the OpenAPI documents of both."""
        return {"theirs": self.original.openapi(), "ours": self.api.get_openapi_schema()}

    def inputs(self, method: str, url: str) -> list[tuple[str, str, bool]]:
        """Return source, name and necessity of what both documents say that is read there."""
        found = {
            name: sorted(
                (one["in"], _spelled(one["in"], one["name"]), one.get("required", False))
                for one in document["paths"][url][method].get("parameters", [])
            )
            for name, document in self.documents().items()
        }
        assert found["ours"] == found["theirs"]
        return found["ours"]

    def security(self, method: str, url: str) -> list[dict[str, list[str]]]:
        """Return what both documents say that is required there, by any one of the list."""
        found = {
            name: document["paths"][url][method].get("security", [])
            for name, document in self.documents().items()
        }
        assert found["ours"] == found["theirs"]
        return found["ours"]

    def schemes(self) -> dict[str, Any]:
        """Return the security schemes of both documents.

        Ours makes a relative ``tokenUrl`` absolute, which is the only difference.
        """
        found = {
            name: json.loads(json.dumps(document["components"]["securitySchemes"]))
            for name, document in self.documents().items()
        }
        for scheme in found["theirs"].values():
            for flow in scheme.get("flows", {}).values():
                flow["tokenUrl"] = f"/{flow['tokenUrl']}"
        assert found["ours"] == found["theirs"]
        return found["ours"]


def _encoded(*, data: object = None, form: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return content type and text of a request's body."""
    if form is not None:
        return "application/x-www-form-urlencoded", urlencode(form)
    return "application/json", "" if data is None else json.dumps(data)


def _answer(
    status: int, content: bytes, headers: Mapping[str, str], cookies: Mapping[str, str]
) -> Answer:
    if status == 500:
        return Answer(status, None)
    value = json.loads(content) if content else None
    if status == 422:
        # Ninja names the body's parameter, leaves out the input, and tells each error once.
        places = {
            (error["type"], _source(error["loc"][0]), _spelled(error["loc"][0], error["loc"][-1]))
            for error in value["detail"]
        }
        value = [list(place) for place in sorted(places)]
    kept = {name.lower(): text for name, text in headers.items() if name.lower() in _COMPARED}
    return Answer(status, value, kept, dict(cookies))


def _source(name: str) -> str:
    """Return *name* as FastAPI has it: to Ninja, a form is no body."""
    return "body" if name == "form" else name


def _spelled(source: str, name: str) -> str:
    """Return *name* as FastAPI spells it: Ninja leaves the underscores of a header."""
    return name.replace("_", "-") if source == "header" else name


_COMPARED = {"www-authenticate", "content-language", "x-cat-dog", "x-token"}


def _include(app: Any, router: Any, prefix: str = "", **options: Any) -> None:
    app.include_router(router, prefix=prefix, **options)


def _add_router(app: Any, router: Any, prefix: str = "", **options: Any) -> None:
    app.add_router(prefix, router, **options)


async def _aiterate(items: Iterator[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
