"""The application."""

from typing import Annotated

from fastapi import Depends, FastAPI, Security
from sqlalchemy.orm import Session

from . import models, schemas
from .database import Base, engine, get_db
from .dependencies import (
    common_parameters,
    get_current_active_user,
    get_current_user,
    verify_token,
)

Base.metadata.create_all(bind=engine)

app = FastAPI()


@app.get("/secure-data/")
def secure_data(token: str = Depends(verify_token)):
    return {"message": "This is secure data", "token": token}


@app.post("/users/", response_model=schemas.User)
def create_user(
    user: schemas.UserCreate,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    db_user = models.User(name=user.name, email=user.email)
    db.add(db_user)
    db.commit()
    db.refresh(db_user)
    return db_user


@app.get("/users/", response_model=list[schemas.User])
def read_users(
    skip: int = 0,
    limit: int = 10,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return db.query(models.User).offset(skip).limit(limit).all()


@app.get("/items/")
async def read_items(commons: Annotated[dict, Depends(common_parameters)]):
    return commons


@app.get("/users/me/items/")
async def read_own_items(
    current_user: Annotated[dict, Security(get_current_active_user, scopes=["items"])],
):
    return [{"item_id": "Foo", "owner": current_user["username"]}]
