"""The example of `Depends`."""

from typing import Annotated

from di import Depends, NinjaAPI

app = NinjaAPI(urls_namespace="items")


async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
    return {"q": q, "skip": skip, "limit": limit}


@app.get("/items/")
async def read_items(request, commons: Annotated[dict, Depends(common_parameters)]):
    return commons
