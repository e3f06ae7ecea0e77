"""The application: `original.main` as it reads here."""

from typing import Annotated

import ninja

from di import Depends, NinjaAPI, Security, inject
from di.sessions import Session

from . import models, schemas
from .database import get_db, page
from .dependencies import (
    common_parameters,
    get_current_active_user,
    get_current_user,
    verify_token,
)

plain = ninja.NinjaAPI(urls_namespace="fastapi-docs-plain", docs_url=None)
app = NinjaAPI(urls_namespace="fastapi-docs")


@plain.get("/secure-data/")
@inject
def secure_data(request, token: str = Depends(verify_token)):
    return {"message": "This is secure data", "token": token}


@app.post("/users/", response=schemas.User)
def create_user(
    request,
    user: schemas.UserCreate,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    db_user = models.User(name=user.name, email=user.email)
    db.add(db_user)
    db.refresh(db_user)
    return db_user


@app.get("/users/", response=list[schemas.User])
def read_users(
    request,
    skip: int = 0,
    limit: int = 10,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return page(db.query(models.User), skip, limit)


@app.get("/items/")
async def read_items(request, commons: Annotated[dict, Depends(common_parameters)]):
    return commons


@app.get("/users/me/items/")
async def read_own_items(
    request,
    current_user: Annotated[dict, Security(get_current_active_user, scopes=["items"])],
):
    return [{"item_id": "Foo", "owner": current_user["username"]}]
