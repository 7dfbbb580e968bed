"""Who calls the mobile endpoints: a device's own token, or one that the owner of the shop made in the back office."""

from typing import Any

from rest_framework import authentication
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from shop.models import User
from support.models import DeviceToken


def find_token(key: str) -> DeviceToken | Token | None:
    """The token with this key, where it still holds."""
    if "\0" in key or len(key) > 100:
        return None
    if device := DeviceToken.objects.of_key(key):
        return device
    return Token.objects.select_related("user").filter(key=key, user__is_active=True).first()


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token …`."""

    def authenticate_credentials(self, key: str) -> tuple[User, Any]:
        token = find_token(key)
        if token is None:
            raise AuthenticationFailed("This token is wrong, or was revoked: log in again.")
        if isinstance(token, DeviceToken):
            token.note_use()
        return token.user, token


class QueryTokenAuthentication(TokenAuthentication):
    """`?token=`, for what cannot set a header."""

    def authenticate(self, request: Request) -> Any:
        token = request.query_params.get("token")
        return self.authenticate_credentials(token) if token else None
