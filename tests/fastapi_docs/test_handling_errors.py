"""Handling Errors, where the errors come from dependencies."""

from typing import Annotated, Any

import pytest

from di import Depends, NinjaAPI


class UnicornException(Exception):  # noqa: N818 - the page's
    def __init__(self, name: str):
        self.name = name


def unicorns(host: Any) -> Any:
    app = host.app()

    def session():
        try:
            yield
        finally:
            host.events.append("closed")

    def unicorn(name: str, session: Annotated[None, host.Depends(session)]):
        if name == "yolo":
            raise UnicornException(name=name)
        return name

    @app.exception_handler(UnicornException)
    def unicorn_exception_handler(request: host.Request, exc: UnicornException):
        host.events.append("handled")
        message = f"Oops! {exc.name} did something. There goes a rainbow..."
        return host.JSONResponse(**host.answer({"message": message}, 418))

    @app.exception_handler(host.ValidationError)
    def validation_exception_handler(request: host.Request, exc: Any):
        host.events.append("handled")
        errors = exc.errors() if callable(exc.errors) else exc.errors
        names = [error["loc"][-1] for error in errors]
        return host.JSONResponse(**host.answer({"invalid": names}, 400))

    @app.get("/unicorns/{name}")
    @host.view
    def read_unicorn(
        request: host.Request, name: Annotated[str, host.Depends(unicorn)], horns: int = 1
    ):
        return {"unicorn_name": name, "horns": horns}

    return app


@pytest.mark.row("D6")
def test_a_custom_handler_answers_an_exception_of_a_dependable(both) -> None:
    """It runs when what was opened is closed again."""
    answers = both(unicorns)
    assert answers.get("/unicorns/shinny").content == {"unicorn_name": "shinny", "horns": 1}
    answer = answers.get("/unicorns/yolo")
    message = {"message": "Oops! yolo did something. There goes a rainbow..."}
    assert (answer.status, answer.content) == (418, message)
    assert answers.events() == ["closed", "closed", "handled"]


@pytest.mark.row("D5", "K7")
def test_a_custom_handler_answers_bad_inputs(both) -> None:
    """The application's own form of a 422, again after the closing."""
    answers = both(unicorns)
    answer = answers.get("/unicorns/shinny?horns=x")
    assert (answer.status, answer.content) == (400, {"invalid": ["horns"]})
    assert answers.events() == ["closed", "handled"]


@pytest.mark.row("K7")
def test_bad_inputs_pass_through_the_apis_own_hook(world) -> None:
    """Where Ninja lets an API put a 422 together, dependables' errors are in it."""

    class Terse(NinjaAPI):
        def validation_error_from_error_contexts(self, error_contexts):
            error = super().validation_error_from_error_contexts(error_contexts)
            error.errors = [{"name": one["loc"][-1]} for one in error.errors]
            return error

    api = Terse(urls_namespace="api")

    def number(n: int):
        return n

    @api.get("/x")
    @world.view
    def read(request, m: int, n: Annotated[int, Depends(number)]): ...

    world.serve(api)
    response = world.get("/x")
    assert (response.status_code, response.json()) == (
        422,
        {"detail": [{"name": "n"}, {"name": "m"}]},
    )


@pytest.mark.row("I6")
def test_a_422_is_documented_there_and_not_here(both) -> None:
    """Ninja documents the answers that ``response=`` names, and adds none."""
    documented = {
        host: list(document["paths"]["/unicorns/{name}"]["get"]["responses"])
        for host, document in both(unicorns).documents().items()
    }
    assert documented == {"theirs": ["200", "422"], "ours": [200]}
