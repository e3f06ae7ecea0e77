"""The example of `Security`."""

from typing import Annotated

from fastapi import FastAPI, Security

from .db import User
from .security import get_current_active_user, router

app = FastAPI()
app.include_router(router)


@app.get("/users/me/items/")
async def read_own_items(
    current_user: Annotated[User, Security(get_current_active_user, scopes=["items"])],
):
    return [{"item_id": "Foo", "owner": current_user.username}]
