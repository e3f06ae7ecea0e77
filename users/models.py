"""Users and access tokens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, ClassVar, NoReturn

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from users import tokens
from users.text import LONGEST_EMAIL, LONGEST_NAME, normalize_email, normalize_name

LONGEST_LABEL = 100

_SPELLINGS: dict[str, Callable[[str], str]] = {"email": normalize_email, "name": normalize_name}


def validate_email(value: str) -> None:
    """Refuse what is no e-mail address, for forms and commands."""
    _validate("email", value)


def validate_name(value: str) -> None:
    """Refuse what is no name, for forms and commands."""
    _validate("name", value)


def _validate(field: str, value: str) -> None:
    try:
        _SPELLINGS[field](value)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from error


class UserManager(BaseUserManager["User"]):
    """Users, found by their e-mail address."""

    def create_user(
        self, email: str, password: str | None = None, *, name: str = "", **fields: Any
    ) -> User:
        """Create a user; without a *password* nobody can log in as them.

        Raises:
            ValueError: *email* or *name* is not one.
        """
        user = self.model(email=email, name=name or email.partition("@")[0], **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, *, name: str = "", **fields: Any
    ) -> User:
        """Create a user who may do everything; see `create_user`."""
        fields |= {"is_staff": True, "is_superuser": True}
        return self.create_user(email, password, name=name, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the user with the e-mail address *username*, however it is spelled."""
        try:
            return self.get(email=normalize_email(username or ""))
        except ValueError:
            raise self.model.DoesNotExist from None

    async def aget_by_natural_key(self, username: str | None) -> User:
        """See `get_by_natural_key`."""
        return await sync_to_async(self.get_by_natural_key)(username)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who logs in with an e-mail address.

    Attributes:
        locked_out_at: when `is_active` was last written as false, or all access was ended.
            Sessions and tokens from before are void.
    """

    name = models.CharField(max_length=LONGEST_NAME, validators=[validate_name])
    email = models.EmailField(
        max_length=LONGEST_EMAIL,
        unique=True,
        validators=[validate_email],
        error_messages={"unique": "A user with this email already exists."},
    )
    # Labels and help texts are those of Django's own User, which is translated.
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Designates whether this user should be treated as active. "
            "Unselect this instead of deleting accounts."
        ),
    )
    is_staff = models.BooleanField(
        _("staff status"),
        default=False,
        help_text=_("Designates whether the user can log into this admin site."),
    )
    date_joined = models.DateTimeField(_("date joined"), default=timezone.now, editable=False)
    locked_out_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        """Two spellings of one address cannot get past the database either."""

        ordering = ("id",)
        constraints = (models.UniqueConstraint(Lower("email"), name="users_user_email_lower"),)

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        """Bring e-mail and name into their one spelling, before forms look for twins."""
        with suppress(ValueError):  # the fields' own validators say what is wrong
            self._spell(_SPELLINGS)

    def save(
        self,
        *args: Any,
        update_fields: Iterable[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the row, e-mail and name in their one spelling.

        Who is not active loses all sessions and tokens in the same transaction: they must
        not come back to life with the user. What passes by here, as ``update()`` of a
        query does, is not seen: it suspends them, and no more.

        Raises:
            ValueError: e-mail or name cannot be spelled.
        """
        fields = None if update_fields is None else set(update_fields)
        self._spell(_SPELLINGS if fields is None else _SPELLINGS.keys() & fields)
        if self.is_active or (fields is not None and "is_active" not in fields):
            super().save(*args, update_fields=fields, **kwargs)
            return
        self.locked_out_at = timezone.now()
        if fields is not None:
            fields.add("locked_out_at")
        using = kwargs.get("using") or router.db_for_write(User, instance=self)
        with transaction.atomic(using=using, savepoint=False):
            super().save(*args, update_fields=fields, **kwargs)
            unrevoked = AccessToken.objects.using(using).filter(user=self, revoked_at=None)
            unrevoked.update(revoked_at=timezone.now())

    def check_password(self, raw_password: str | None) -> bool:
        """Whether *raw_password* is the password; an outdated hash of it is renewed."""
        return check_password(raw_password, self.password, self._renew_hash)

    async def acheck_password(self, raw_password: str | None) -> bool:
        """See `check_password`."""
        return await sync_to_async(self.check_password)(raw_password)

    def hold(self, permissions: Iterable[str]) -> None:
        """Take *permissions* for all that this user holds by themselves and by groups.

        They were read with the user, so that the backend of Django does not ask for them again.
        A superuser holds all there are.
        """
        if not self.is_superuser:
            self._perm_cache = set(permissions)  # where Django's backend keeps what it found

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        """Return what sessions and tokens are held against: another since a lock-out.

        Django's own hook, for each secret key. Who was never locked out has its hash.
        """
        password: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if self.locked_out_at is None:
            return password
        value = f"{password} {self.locked_out_at.timestamp()}"
        salt = "users.User.locked_out_at"
        return salted_hmac(salt, value, secret=secret, algorithm="sha256").hexdigest()

    def _renew_hash(self, raw_password: str) -> None:
        """Hash the password that is already this user's again, as one would today.

        The new hash is a new fingerprint, and would end the user's tokens as a new
        password does: they get the new fingerprint in the same transaction. If the row
        has another hash by now, it stays: that may be a new password.
        """
        old, new = self.password, make_password(raw_password)
        known = (self.get_session_auth_hash(), *self.get_session_auth_fallback_hash())
        using = router.db_for_write(User, instance=self)
        with transaction.atomic(using=using):
            rows = User.objects.using(using).filter(pk=self.pk, password=old)
            if rows.update(password=new):
                self.password = new
                stamped = AccessToken.objects.using(using).filter(user=self, fingerprint__in=known)
                stamped.update(fingerprint=self.get_session_auth_hash())

    def _spell(self, fields: Iterable[str]) -> None:
        for field in fields:
            setattr(self, field, _SPELLINGS[field](getattr(self, field)))


class AccessToken(models.Model):
    """What an API client shows instead of a password. The token itself is not stored.

    Attributes:
        key: the public part of the token; the only one that logs and pages may show.
        digest: HMAC of the whole token, in hexadecimal.
        scope: OAuth2 scopes, sorted, separated by spaces.
        fingerprint: of the user's password and last lock-out at issue; another one of
            either ends the token.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    key = models.CharField(max_length=tokens.KEY_LENGTH, unique=True)
    digest = models.CharField(max_length=64)
    scope = models.CharField(max_length=1_000)
    label = models.CharField(max_length=LONGEST_LABEL, blank=True)
    fingerprint = models.CharField(max_length=128)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Newest first, as a person looks for them."""

        ordering = ("-id",)

    def __str__(self) -> str:
        return self.key

    def matches(self, text: str) -> bool:
        """Whether *text* is this token, under the secret key or one of its fallbacks."""
        return any(
            constant_time_compare(self.digest, tokens.digest(text, secret))
            for secret in (None, *settings.SECRET_KEY_FALLBACKS)
        )

    def refusal(self, now: dt.datetime) -> str | None:
        """Return why the token is not valid at *now*, for the log; None if it is."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at <= now:
            return "expired"
        if not self.user.is_active:
            return "inactive user"
        if not self._has_fingerprint():
            return "password changed"
        return None

    def _has_fingerprint(self) -> bool:
        user = self.user
        return any(
            constant_time_compare(self.fingerprint, known)
            for known in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
        )


class ThrottleCounter(models.Model):
    """How often something happened since a moment ago.

    Attributes:
        key: HMAC of what is counted; no address or login is in the table.
        count: since the window was opened.
        expires_at: when the window ends, and counting starts anew.
    """

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class AuditEntry(models.Model):
    """What was done to users who may be gone. Rows are added, never changed or deleted.

    Users are noted as text: a foreign key would take the row with its user, as it does
    with the log of Django's admin site.
    """

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    event = models.CharField(max_length=50, editable=False)
    actor_id = models.CharField(max_length=20, editable=False)
    target_id = models.CharField(max_length=20, editable=False)

    class Meta:
        """Newest first, as a person looks for them."""

        ordering = ("-id",)
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.event}: {self.target_id} by {self.actor_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row.

        Raises:
            TypeError: it is there already.
        """
        if self.pk is not None:
            message = "An audit entry cannot be changed"
            raise TypeError(message)
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: always.
        """
        message = "An audit entry cannot be deleted"
        raise TypeError(message)
