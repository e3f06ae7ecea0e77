"""Response Model - Return Type."""

from typing import Any

import pytest
from ninja import Schema
from pydantic import BaseModel, ConfigDict, PrivateAttr, computed_field, model_serializer


class BaseUser(BaseModel):
    username: str
    full_name: str | None = None


class UserIn(BaseUser):
    password: str = "secret"


class BaseCounted(BaseUser):
    _count: int = PrivateAttr(default=0)

    @computed_field
    @property
    def count(self) -> int:
        return self._count

    @computed_field
    @property
    def label(self) -> str:
        return self.username


class Counted(BaseCounted):
    password: str = "secret"

    @property
    def label(self) -> str:
        return f"user {self.username}"

    def model_post_init(self, context: Any) -> None:
        super().model_post_init(context)
        self._count += 1


class BaseOpen(BaseUser):
    model_config = ConfigDict(extra="allow")


class Open(BaseOpen):
    password: str = "secret"


class BaseWritten(BaseUser):
    @model_serializer(mode="wrap")
    def write(self, handler: Any) -> Any:
        return {**handler(self), "written": type(self).__name__}


class Written(BaseWritten):
    password: str = "secret"


class BaseNested(BaseModel):
    owner: BaseUser
    others: list[BaseUser]


class Nested(BaseNested):
    password: str = "secret"


class BaseSchema(Schema):
    username: str


class InSchema(BaseSchema):
    password: str = "secret"


def counted() -> Any:
    user = Counted(username="ann")
    user._count += 1
    return user


ANN = UserIn(username="ann")

CASES = {
    "subclass": (BaseUser, lambda: ANN),
    "itself": (BaseUser, lambda: BaseUser(username="ann", full_name="Ann")),
    "private": (BaseCounted, counted),
    "extra": (BaseOpen, lambda: Open(username="ann", other=1)),
    "serializer": (BaseWritten, lambda: Written(username="ann")),
    "nested": (BaseNested, lambda: Nested(owner=ANN, others=[ANN])),
    "schema": (BaseSchema, lambda: InSchema(username="ann")),
    "any model": (BaseModel, lambda: ANN),
    "list": (list[BaseUser], lambda: [ANN]),
    "optional": (BaseUser | None, lambda: ANN),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_model_does_not_declare_is_not_sent(both, case) -> None:
    """However much more the view returns, and however it is written."""
    model, made = CASES[case]

    def example(host: Any) -> Any:
        app = host.app()

        @app.get("/user/", **host.returns(model))
        @host.view
        def read_user(request: host.Request):
            return made()

        return app

    answer = both(example).get("/user/")
    assert answer.status == 200
    assert "secret" not in str(answer.content)
