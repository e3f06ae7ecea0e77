"""The views of `ported` again: async for those that are sync there, sync for the async ones."""

from typing import Annotated

from di import Depends, Security
from di.security import OAuth2PasswordRequestForm
from di.sessions import Session

from .ported.reference import security
from .ported.reference.db import User
from .ported.reference.items import common_parameters
from .ported.reference.security import get_current_active_user
from .ported.secure_data import verify_token
from .ported.user_crud import models, schemas
from .ported.user_crud.database import get_db
from .ported.user_crud.main import get_current_user


async def read_secure_data(request, token: str = Depends(verify_token)):
    return {"msg": "Secure data accessed!", "token": token}


async def create_user(
    request,
    user: schemas.UserCreate,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    db_user = models.User(name=user.name, email=user.email)
    await db.aadd(db_user)
    await db.arefresh(db_user)
    return db_user


async def read_users(
    request,
    db: Session = Depends(get_db),
    current_user: dict = Depends(get_current_user),
):
    return [user async for user in db.query(models.User)]


def read_items(request, commons: Annotated[dict, Depends(common_parameters)]):
    return commons


async def login(request, form_data: Annotated[OAuth2PasswordRequestForm, Depends()]):
    return security.login(request, form_data)


def read_own_items(
    request,
    current_user: Annotated[User, Security(get_current_active_user, scopes=["items"])],
):
    return [{"item_id": "Foo", "owner": current_user.username}]
