"""The application."""

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session

from . import crud, models, schemas
from .database import engine, get_db

models.Base.metadata.create_all(bind=engine)

app = FastAPI()


def get_current_user(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=403, detail="Invalid token")
    return {"username": "admin"}


@app.post("/users/", response_model=schemas.UserOut)
def create_user(
    user: schemas.UserCreate,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return crud.create_user(db, user)


@app.get("/users/", response_model=list[schemas.UserOut])
def read_users(
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return crud.get_users(db)
