"""What goes in and out."""

from ninja import Schema


class UserBase(Schema):
    name: str
    email: str


class UserCreate(UserBase):
    pass


class User(UserBase):
    id: int  # Schema reads from attributes by itself
