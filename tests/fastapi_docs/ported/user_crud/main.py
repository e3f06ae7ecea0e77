"""The application."""

from di import Depends, HTTPException, NinjaAPI
from di.sessions import Session

from . import crud, schemas
from .database import get_db

app = NinjaAPI(urls_namespace="user-crud")


def get_current_user(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=403, detail="Invalid token")
    return {"username": "admin"}


@app.post("/users/", response=schemas.UserOut)
def create_user(
    request,
    user: schemas.UserCreate,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return crud.create_user(db, user)


@app.get("/users/", response=list[schemas.UserOut])
def read_users(
    request,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return crud.get_users(db)
