"""The main job on the other side: FastAPI, asynchronous SQLAlchemy, uvicorn.

    python -m tests.benchmarks.job_theirs PORT

It works on the tables that Django has made. A token's row is found with its user by its key and
held against its HMAC, token and user must be live, and the user must hold the permission now. It
does less than ours: it knows no browser sessions, and does not look whether the password is the
one with which the token was issued.
"""

from __future__ import annotations

import datetime as dt
import hmac
import os
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import sqlalchemy as sa
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from users import tokens

CODENAMES = {"GET": "view_user", "POST": "add_user", "PATCH": "change_user"}


class Base(DeclarativeBase):
    """All tables."""


class User(Base):
    """A row of Django's table."""

    __tablename__ = "users_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    password: Mapped[str] = mapped_column(default="!")
    is_active: Mapped[bool] = mapped_column(default=True)
    is_staff: Mapped[bool] = mapped_column(default=False)
    is_superuser: Mapped[bool] = mapped_column(default=False)
    date_joined: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True))


class AccessToken(Base):
    """A row of Django's table."""

    __tablename__ = "users_accesstoken"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users_user.id"))
    key: Mapped[str]
    digest: Mapped[str]
    scope: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(sa.DateTime(timezone=True))
    revoked_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


permission = sa.table("auth_permission", sa.column("id"), sa.column("codename"))
own = sa.table("users_user_user_permissions", sa.column("user_id"), sa.column("permission_id"))
groups = sa.table("users_user_groups", sa.column("user_id"), sa.column("group_id"))
shared = sa.table("auth_group_permissions", sa.column("group_id"), sa.column("permission_id"))


class UserOut(BaseModel, from_attributes=True):
    """A user."""

    id: int
    name: str
    email: str


class UserCreate(BaseModel, extra="forbid"):
    """A new user."""

    name: str
    email: str


class UserUpdate(BaseModel, extra="forbid"):
    """What is to change about a user."""

    name: str | None = None
    email: str | None = None


drivers = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg"}
scheme, _, rest = os.environ["DATABASE_URL"].partition(":")
engine = create_async_engine(f"{drivers[scheme]}:{rest}", pool_size=8, max_overflow=0)
make_session = async_sessionmaker(engine, expire_on_commit=False)
oauth2 = OAuth2PasswordBearer("token")
app = FastAPI()

if scheme == "sqlite":

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


async def get_session() -> AsyncIterator[AsyncSession]:
    """Yield a session."""
    async with make_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


async def get_caller(
    request: Request,
    required: SecurityScopes,
    text: Annotated[str, Depends(oauth2)],
    session: SessionDep,
) -> User:
    """Return the user whose token it is and who may do this."""
    recognized = tokens.recognize(text)
    token = None
    if recognized is not None:
        found = sa.select(AccessToken).where(AccessToken.key == recognized.key)
        token = await session.scalar(found)
    if (
        token is None
        or not hmac.compare_digest(token.digest, tokens.digest(text))
        or token.revoked_at is not None
        or token.expires_at.replace(tzinfo=dt.UTC) <= dt.datetime.now(dt.UTC)
        or not token.user.is_active
    ):
        raise HTTPException(401, "The access token is invalid or expired")
    if not {*required.scopes} <= {*token.scope.split()}:
        raise HTTPException(403, "Not enough permissions")
    if not token.user.is_superuser:
        by_group = sa.select(shared.c.permission_id).join(
            groups, groups.c.group_id == shared.c.group_id
        )
        held = sa.select(permission.c.id).where(
            permission.c.codename == CODENAMES[request.method],
            sa.or_(
                permission.c.id.in_(
                    sa.select(own.c.permission_id).where(own.c.user_id == token.user_id)
                ),
                permission.c.id.in_(by_group.where(groups.c.user_id == token.user_id)),
            ),
        )
        if await session.scalar(held) is None:
            raise HTTPException(403, "Permission denied")
    return token.user


Reader = Annotated[User, Security(get_caller, scopes=["users:read"])]
Writer = Annotated[User, Security(get_caller, scopes=["users:write"])]


@app.get("/api/users")
async def list_users(
    by: Reader,
    session: SessionDep,
    response: Response,
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> list[UserOut]:
    """List users by id."""
    users = await session.scalars(sa.select(User).order_by(User.id).offset(skip).limit(limit))
    total = await session.scalar(sa.select(sa.func.count()).select_from(User))
    response.headers["X-Total-Count"] = str(total)
    response.headers["Cache-Control"] = "no-store"
    return users.all()  # type: ignore[return-value]


@app.get("/api/users/{user_id}")
async def read_user(user_id: int, by: Reader, session: SessionDep, response: Response) -> UserOut:
    """Show one user."""
    response.headers["Cache-Control"] = "no-store"
    user = await session.scalar(sa.select(User).where(User.id == user_id))
    if user is None:
        raise HTTPException(404)
    return user  # type: ignore[return-value]


@app.post("/api/users", status_code=201)
async def create_user(
    user: UserCreate, by: Writer, session: SessionDep, response: Response
) -> UserOut:
    """Create a user."""
    created = User(**user.model_dump(), date_joined=dt.datetime.now(dt.UTC))
    session.add(created)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409) from None
    response.headers["Location"] = f"/api/users/{created.id}"
    return created  # type: ignore[return-value]


@app.patch("/api/users/{user_id}")
async def update_user(
    user_id: int, changes: UserUpdate, by: Writer, session: SessionDep
) -> UserOut:
    """Change one user."""
    found = sa.select(User).where(User.id == user_id).with_for_update()
    user = await session.scalar(found.execution_options(populate_existing=True))
    if user is None:
        raise HTTPException(404)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    await session.commit()
    return user  # type: ignore[return-value]


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,  # granian writes none either
    )
