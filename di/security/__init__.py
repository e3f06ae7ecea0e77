"""Security schemes: dependables that OpenAPI knows, with FastAPI's names.

Imported when first used, like the names of `di` itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from di.security.api_key import APIKeyCookie as APIKeyCookie
    from di.security.api_key import APIKeyHeader as APIKeyHeader
    from di.security.api_key import APIKeyQuery as APIKeyQuery
    from di.security.http import HTTPAuthorizationCredentials as HTTPAuthorizationCredentials
    from di.security.http import HTTPBase as HTTPBase
    from di.security.http import HTTPBasic as HTTPBasic
    from di.security.http import HTTPBasicCredentials as HTTPBasicCredentials
    from di.security.http import HTTPBearer as HTTPBearer
    from di.security.http import HTTPDigest as HTTPDigest
    from di.security.oauth2 import OAuth2 as OAuth2
    from di.security.oauth2 import OAuth2AuthorizationCodeBearer as OAuth2AuthorizationCodeBearer
    from di.security.oauth2 import OAuth2PasswordBearer as OAuth2PasswordBearer
    from di.security.oauth2 import OAuth2PasswordRequestForm as OAuth2PasswordRequestForm
    from di.security.oauth2 import (
        OAuth2PasswordRequestFormStrict as OAuth2PasswordRequestFormStrict,
    )
    from di.security.open_id_connect import OpenIdConnect as OpenIdConnect
else:
    from di.lazy import lazily

    __getattr__, __dir__, __all__ = lazily(
        __name__,
        {
            "api_key": ["APIKeyCookie", "APIKeyHeader", "APIKeyQuery"],
            "http": [
                "HTTPAuthorizationCredentials",
                "HTTPBase",
                "HTTPBasic",
                "HTTPBasicCredentials",
                "HTTPBearer",
                "HTTPDigest",
            ],
            "oauth2": [
                "OAuth2",
                "OAuth2AuthorizationCodeBearer",
                "OAuth2PasswordBearer",
                "OAuth2PasswordRequestForm",
                "OAuth2PasswordRequestFormStrict",
            ],
            "open_id_connect": ["OpenIdConnect"],
        },
    )
