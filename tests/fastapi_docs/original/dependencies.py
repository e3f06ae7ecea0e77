"""What the routes depend on."""

from typing import Annotated

from fastapi import Depends, Header, HTTPException, Security
from fastapi.security import SecurityScopes


def verify_token(token: str):
    if token != "secret":
        raise HTTPException(status_code=401, detail="Invalid token")
    return token


def get_current_user(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=401, detail="Invalid authentication credentials")
    return {"username": "testuser"}


async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
    return {"q": q, "skip": skip, "limit": limit}


fake_tokens_db = {
    "john": {"username": "johndoe", "scopes": ["me", "items"], "disabled": False},
    "john-me": {"username": "johndoe", "scopes": ["me"], "disabled": False},
    "john-items": {"username": "johndoe", "scopes": ["items"], "disabled": False},
    "alice": {"username": "alice", "scopes": ["me", "items"], "disabled": True},
}


def get_bearer_token(authorization: Annotated[str | None, Header()] = None):
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(
            status_code=401,
            detail="Not authenticated",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return token


def get_token_user(
    security_scopes: SecurityScopes, token: Annotated[str, Depends(get_bearer_token)]
):
    authenticate_value = f'Bearer scope="{security_scopes.scope_str}"'
    if token not in fake_tokens_db:
        raise HTTPException(
            status_code=401,
            detail="Could not validate credentials",
            headers={"WWW-Authenticate": authenticate_value},
        )
    user = fake_tokens_db[token]
    for scope in security_scopes.scopes:
        if scope not in user["scopes"]:
            raise HTTPException(
                status_code=401,
                detail="Not enough permissions",
                headers={"WWW-Authenticate": authenticate_value},
            )
    return user


async def get_current_active_user(
    current_user: Annotated[dict, Security(get_token_user, scopes=["me"])],
):
    if current_user["disabled"]:
        raise HTTPException(status_code=400, detail="Inactive user")
    return current_user
