"""The example of `Security`."""

from typing import Annotated

from di import NinjaAPI, Security

from .db import User
from .security import get_current_active_user, router

app = NinjaAPI(urls_namespace="own-items")
app.add_router("", router)


@app.get("/users/me/items/")
async def read_own_items(
    request,
    current_user: Annotated[User, Security(get_current_active_user, scopes=["items"])],
):
    return [{"item_id": "Foo", "owner": current_user.username}]
