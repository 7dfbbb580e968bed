import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from shop.models import User


def hash_of(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


class DeviceTokenQuerySet(models.QuerySet["DeviceToken"]):
    def issue(self, user: User, name: str) -> tuple["DeviceToken", str]:
        """A new token for one of a person's devices, and its key, which is told this once and not kept."""
        key = secrets.token_hex(24)
        token = self.create(
            user=user,
            name=name.strip()[: DeviceToken.NAME_LENGTH] or DeviceToken.UNNAMED,
            key_hash=hash_of(key),
            password_mark=user.get_session_auth_hash(),
        )
        in_use = self.filter(user=user).order_by("-last_used", "-pk").values("pk")[: DeviceToken.MOST]
        self.filter(user=user).exclude(pk__in=list(in_use.values_list("pk", flat=True))).delete()
        return token, key

    def of_key(self, key: str) -> "DeviceToken | None":
        """The token with this key, where it still holds."""
        token = self.select_related("user").filter(key_hash=hash_of(key)).first()
        return token if token and token.holds() else None

    def of(self, user: Any) -> "DeviceTokenQuerySet":
        """A person's devices, the one used last first."""
        return self.filter(user=user).order_by("-last_used", "-pk")


class DeviceToken(models.Model):
    """That somebody is logged in on a phone. It ends when they log out there, revoke it, or change their password."""

    # Nobody has more devices than that; those that were used longest ago are logged out.
    MOST = 50
    NAME_LENGTH = 60
    UNNAMED = "A device"
    # `last_used` is kept this exactly, so that reading writes next to nothing.
    EXACTNESS = timedelta(minutes=5)

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=NAME_LENGTH)
    # A stolen copy of the database logs nobody in.
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    # What Django ends sessions by: it differs once the password does.
    password_mark = models.CharField(max_length=128, editable=False)
    date_added = models.DateTimeField(auto_now_add=True)
    last_used = models.DateTimeField(default=timezone.now)

    objects = DeviceTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def holds(self, user: User | None = None) -> bool:
        """Whether it still lets its owner in; `user` is the owner where they were read already."""
        user = user or self.user
        return user.is_active and constant_time_compare(self.password_mark, user.get_session_auth_hash())

    def note_use(self) -> None:
        now = timezone.now()
        if now - self.last_used > self.EXACTNESS:
            DeviceToken.objects.filter(pk=self.pk).update(last_used=now)
