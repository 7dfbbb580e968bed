"""Who calls: by token, basic authentication or session, in this order.

The first names the `WWW-Authenticate` header of a 401; a token is what a program should use.
"""

from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_ip_address, get_cool_off
from django.conf import settings
from django.contrib.auth import authenticate
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request

from shop.models import User
from staff.api.throttles import Minute


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token …`; wrong ones are counted for each address."""

    def authenticate(self, request: Request) -> Any:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            minute = Minute("wrong-token", get_client_ip_address(request))
            if minute.count() > settings.API_WRONG_TOKENS_PER_MINUTE:
                raise Throttled(minute.seconds_left()) from None
            raise


class BasicAuthentication(authentication.BasicAuthentication):
    """`Authorization: Basic …`; wrong passwords count with those of the login page."""

    www_authenticate_realm = "BookTime dispatch"

    def authenticate_credentials(self, userid: str, password: str, request: Request | None = None) -> tuple[User, None]:
        credentials = {User.USERNAME_FIELD: userid.replace("\0", ""), "password": password}
        user = authenticate(request=request, **credentials)
        if isinstance(user, User):
            return user, None
        if not AxesProxyHandler.is_allowed(request, credentials):
            cool_off = get_cool_off(request)
            raise Throttled(cool_off.total_seconds() if cool_off else None)
        raise AuthenticationFailed("Wrong e-mail address or password.")
