"""Every query of users, access tokens and counters, and the rules that need one."""

from __future__ import annotations

from users.crud.accounts import (
    authenticate,
    change_password,
    count_users,
    create_user,
    delete_user,
    find_groups,
    get_user,
    list_users,
    set_active,
    update_user,
)
from users.crud.counters import (
    Hit,
    count,
    forget,
    is_remembered,
    purge_counters,
    remember,
    take_back,
)
from users.crud.tokens import (
    LOGIN_LIFETIME,
    LONGEST_LIFETIME,
    MOST_TOKENS,
    find_token,
    get_token,
    issue_token,
    list_tokens,
    note_use,
    purge_tokens,
    revoke_text,
    revoke_tokens,
)

__all__ = [
    "LOGIN_LIFETIME",
    "LONGEST_LIFETIME",
    "MOST_TOKENS",
    "Hit",
    "authenticate",
    "change_password",
    "count",
    "count_users",
    "create_user",
    "delete_user",
    "find_groups",
    "find_token",
    "forget",
    "get_token",
    "get_user",
    "is_remembered",
    "issue_token",
    "list_tokens",
    "list_users",
    "note_use",
    "purge_counters",
    "purge_tokens",
    "remember",
    "revoke_text",
    "revoke_tokens",
    "set_active",
    "take_back",
    "update_user",
]
