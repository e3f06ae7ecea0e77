"""What the routes depend on."""

from di import HTTPException, Security, SecurityScopes


def verify_token(token: str):
    if token != "secret":
        raise HTTPException(status_code=401, detail="Invalid token")
    return token


def get_current_user(token: str = "test123"):
    if token != "test123":
        raise HTTPException(status_code=401, detail="Invalid authentication credentials")
    return {"username": "testuser", "scopes": ["me", "items"]}


async def common_parameters(q: str | None = None, skip: int = 0, limit: int = 100):
    return {"q": q, "skip": skip, "limit": limit}


def get_scoped_user(security_scopes: SecurityScopes, granted: str = "me items"):
    for scope in security_scopes.scopes:
        if scope not in granted.split():
            raise HTTPException(
                status_code=401,
                detail="Not enough permissions",
                headers={"WWW-Authenticate": f'Bearer scope="{security_scopes.scope_str}"'},
            )
    return {"username": "testuser"}


async def get_current_active_user(
    current_user: dict = Security(get_scoped_user, scopes=["me"]), disabled: bool = False
):
    if disabled:
        raise HTTPException(status_code=400, detail="Inactive user")
    return current_user
