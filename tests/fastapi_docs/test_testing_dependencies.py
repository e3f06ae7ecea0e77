"""Testing Dependencies with Overrides."""

from typing import Annotated, Any

import pytest

from di import override


async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
    return {"q": q, "skip": skip, "limit": limit}


async def override_dependency(q: str | None = None):
    return {"q": q, "skip": 5, "limit": 10}


def commons(host: Any) -> Any:
    app = host.app()

    @app.get("/items/")
    @host.view
    def read_items(
        request: host.Request, commons: Annotated[dict, host.Depends(common_parameters)]
    ):
        return {"message": "Hello Items!", "params": commons}

    @app.get("/users/")
    @host.view
    def read_users(
        request: host.Request, commons: Annotated[dict, host.Depends(common_parameters)]
    ):
        return {"message": "Hello Users!", "params": commons}

    return app


@pytest.mark.row("H1", "H3")
@pytest.mark.parametrize(("url", "who"), [("/items/", "Items"), ("/users/", "Users")])
def test_dependency_overrides(both, url, who) -> None:
    """The application's dictionary maps an original to its stand-in, for every view."""
    answers = both(commons)
    for app in (answers.original, answers.api):
        app.dependency_overrides[common_parameters] = override_dependency
    for query, q in (("", None), ("?q=foo", "foo"), ("?q=foo&skip=100&limit=200", "foo")):
        assert answers.get(f"{url}{query}").content == {
            "message": f"Hello {who}!",
            "params": {"q": q, "skip": 5, "limit": 10},
        }


@pytest.mark.row("H1")
def test_overrides_are_removed_with_an_empty_dict(both) -> None:
    """As the page resets them, and one by one."""
    answers = both(commons)
    original = {
        "message": "Hello Items!",
        "params": {"q": "foo", "skip": 100, "limit": 200},
    }
    for remove in ("reset", "delete"):
        for app in (answers.original, answers.api):
            app.dependency_overrides[common_parameters] = override_dependency
        assert answers.get("/items/?q=foo&skip=100&limit=200").content != original
        for app in (answers.original, answers.api):
            if remove == "reset":
                app.dependency_overrides = {}
            else:
                del app.dependency_overrides[common_parameters]
        assert answers.get("/items/?q=foo&skip=100&limit=200").content == original


@pytest.mark.row("H3")
def test_what_only_the_original_reads_is_not_read(both) -> None:
    """A stand-in takes its own parameters: a bad ``skip`` is no error while it is there."""
    answers = both(commons)
    assert answers.get("/items/?skip=x").content == [["int_parsing", "query", "skip"]]
    for app in (answers.original, answers.api):
        app.dependency_overrides[common_parameters] = override_dependency
    assert answers.get("/items/?skip=x").content["params"]["skip"] == 5


@pytest.mark.row("H10")
def test_the_document_shows_the_originals(both) -> None:
    """In both: an override is for tests, the document for users."""
    answers = both(commons)
    documented = answers.inputs("get", "/items/")
    for app in (answers.original, answers.api):
        app.dependency_overrides[common_parameters] = override_dependency
    assert answers.inputs("get", "/items/") == documented
    assert ("query", "skip", False) in documented


def test_override_does_the_same_for_a_block(both) -> None:
    """Our own way undoes itself."""
    answers = both(commons)
    with override({common_parameters: override_dependency}):
        assert answers.ask_ours("get", "/items/").content["params"]["skip"] == 5
    assert answers.get("/items/").content["params"]["skip"] == 0
