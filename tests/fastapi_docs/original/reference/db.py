"""The users, who are in no database."""

from pydantic import BaseModel


class User(BaseModel):
    username: str
    password: str
    disabled: bool = False


users = {
    "johndoe": User(username="johndoe", password="secret"),
    "alice": User(username="alice", password="secret2", disabled=True),
}
