"""All settings. The environment decides; without any, this is a development machine."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from project.database import database, replica

BASE_DIR = Path(__file__).resolve().parent.parent

_INSECURE = "django-insecure-"
_DEVELOPMENT_KEY = "django-insecure-development-only-never-use-this-in-production-0123456789"
_SHORTEST_KEY = 50
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


def _get(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def _list(name: str) -> list[str]:
    return [item.strip() for item in _get(name).split(",") if item.strip()]


def _number(name: str, default: int, *, least: int = 1) -> int:
    value = _get(name) or str(default)
    if not (value.isascii() and value.isdigit() and int(value) >= least):
        message = f"{name} is {value!r}. Set it to a whole number from {least}, or leave it out."
        raise ImproperlyConfigured(message)
    return int(value)


def _flag(name: str, *, default: bool) -> bool:
    value = _get(name).lower()
    if value and value not in (*_YES, *_NO):
        message = f"{name} is {value!r}. Set it to 1 or 0, or leave it out."
        raise ImproperlyConfigured(message)
    return value in _YES if value else default


def _choice(name: str, default: str, *others: str) -> str:
    value = _get(name) or default
    if value not in (default, *others):
        message = f"{name} is {value!r}. Set it to {' or '.join((default, *others))}."
        raise ImproperlyConfigured(message)
    return value


def _refuse(message: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"ENVIRONMENT=production refuses to start: {message}")


ENVIRONMENT = _choice("ENVIRONMENT", "development", "production")
IS_PRODUCTION = ENVIRONMENT == "production"

SECRET_KEY = _get("SECRET_KEY") or _DEVELOPMENT_KEY
SECRET_KEY_FALLBACKS = _list("SECRET_KEY_FALLBACKS")
DEBUG = _flag("DEBUG", default=not IS_PRODUCTION)
ALLOWED_HOSTS = _list("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = _list("CSRF_TRUSTED_ORIGINS")
DATABASE_URL = _get("DATABASE_URL")

if IS_PRODUCTION:
    if SECRET_KEY == _DEVELOPMENT_KEY:
        raise _refuse("set SECRET_KEY to a secret of your own.")
    if any(key.startswith(_INSECURE) for key in SECRET_KEY_FALLBACKS):
        raise _refuse(f"SECRET_KEY_FALLBACKS has a key that begins with {_INSECURE}.")
    if SECRET_KEY.startswith(_INSECURE):
        raise _refuse(f"SECRET_KEY begins with {_INSECURE}, as Django's public examples do.")
    if len(SECRET_KEY) < _SHORTEST_KEY:
        raise _refuse(f"SECRET_KEY is shorter than {_SHORTEST_KEY} characters.")
    if DEBUG:
        raise _refuse("DEBUG is on, and shows settings and source to anyone.")
    if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
        raise _refuse("set ALLOWED_HOSTS to the names this site is reached by, not *.")
    if not DATABASE_URL:
        raise _refuse("set DATABASE_URL.")
else:
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "ninja",  # serves Swagger UI from here, not from a CDN
    "di",
    "users",
    "project",
]

MIDDLEWARE = [
    "project.middleware.identify",
    "project.middleware.speak_json",
    "project.middleware.accept_probes",
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.refuse_unreadable",
    "project.middleware.trailing_slash",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

SITE_NAME = "django-ninja-depends"
SOURCE_URL = _get("SOURCE_URL")  # linked from the first page, if there is one

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
ASGI_APPLICATION = "project.asgi.application"
APPEND_SLASH = False  # a path answers with and without, and never redirects
API_PREFIX = "/api/"
HEALTH_PATH = f"{API_PREFIX}health"
ADMIN_URL = _get("ADMIN_URL", "admin/").strip("/") + "/"

# Who sees the documentation and openapi.json.
API_DOCS = _choice("API_DOCS", *(("staff", "open") if IS_PRODUCTION else ("open", "staff")))
# RFC 9700 §2.4 forbids OAuth clients the password form; it is for people's own scripts.
API_PASSWORD_LOGIN = _flag("API_PASSWORD_LOGIN", default=not IS_PRODUCTION)
API_THROTTLES: dict[str, tuple[int, int] | None] = {  # requests in seconds
    "login_client": (5, 300),
    "client": (30, 300),
    "login": (100, 86_400),
    "suspect": (2, 3_600),
    "anonymous": (60, 60),
    "address": (5, 3_600),
    "user": None,  # a write for every request; a proxy does it for less
}
# How many proxies of ours add to X-Forwarded-For; nobody else's entries are believed.
TRUSTED_PROXY_COUNT = _number("TRUSTED_PROXY_COUNT", 0, least=0)

CORS_ALLOWED_ORIGINS = _list("CORS_ALLOWED_ORIGINS")
CORS_EXPOSE_HEADERS = [
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
    "X-Total-Count",
]
CORS_URLS_REGEX = rf"^{API_PREFIX}"
if CORS_ALLOWED_ORIGINS:
    if find_spec("corsheaders") is None:
        message = 'CORS_ALLOWED_ORIGINS needs: pip install "django-ninja-depends[server]".'
        raise ImproperlyConfigured(message)
    INSTALLED_APPS.append("corsheaders")
    _outermost = MIDDLEWARE.index("django.middleware.security.SecurityMiddleware")
    MIDDLEWARE.insert(_outermost + 1, "corsheaders.middleware.CorsMiddleware")

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASE_POOL_SIZE = _number("DATABASE_POOL_SIZE", 8)
DATABASES = {
    "default": database(
        DATABASE_URL or f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}",
        base=BASE_DIR,
        pool_size=DATABASE_POOL_SIZE,
    )
}
if DATABASE_REPLICA_URL := _get("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = replica(
        DATABASE_REPLICA_URL,
        of=DATABASES["default"],
        base=BASE_DIR,
        pool_size=DATABASE_POOL_SIZE,
    )
    DATABASE_ROUTERS = ["project.replica.ReplicaRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "users.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

PASSWORD_HASHERS = [  # the first for what is hashed now, the second for what once was
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100

SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # clients get the token from a form or an answer
if IS_PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [rf"^{HEALTH_PATH[1:]}/?$"]  # whoever asks it has no certificate
    # Browsers remember it: begin with few seconds where a name or a subdomain may go back to HTTP.
    SECURE_HSTS_SECONDS = _number("SECURE_HSTS_SECONDS", 31_536_000, least=0)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = _flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = _flag("SECURE_HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Only a proxy that always sets it may be trusted to say that the client used TLS.
    if header := _get("SECURE_PROXY_SSL_HEADER"):
        SECURE_PROXY_SSL_HEADER = (header, "https")

DEFAULT_EXCEPTION_REPORTER = "project.debugging.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "project.debugging.Filter"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "project.logs.LineFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}]: {message}",
            "style": "{",
        },
        "json": {"()": "project.logs.JSONFormatter"},
    },
    "handlers": {
        formatter: {"class": "logging.StreamHandler", "formatter": formatter}
        for formatter in ("line", "json")
    },
    "loggers": {
        name: {"handlers": [handler], "level": level, "propagate": False}
        for name, handler, level in (
            ("django", "line", "WARNING"),
            ("di", "line", "WARNING"),
            ("security", "json", "INFO"),
        )
    },
}
