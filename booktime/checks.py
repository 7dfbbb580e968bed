"""What a server's settings say that is likely a mistake: `manage.py check` tells."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security)
def one_process(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.IS_DEMO or settings.REDIS_URL:
        return []
    return [
        Warning(
            "REDIS_URL is not set: only one process may serve this site.",
            hint="Set REDIS_URL before starting a second one: chats, presence and throttles are shared through it.",
            id="booktime.W001",
        )
    ]


@register(Tags.security, deploy=True)
def any_host(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if "*" not in settings.ALLOWED_HOSTS:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS is '*': any site's page may open sockets in the name of its visitor.",
            hint="Name the hosts: ALLOWED_HOSTS=shop.example,www.shop.example",
            id="booktime.W002",
        )
    ]


@register(Tags.security, deploy=True)
def payments_are_told(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if bool(settings.STRIPE_SECRET_KEY) == bool(settings.STRIPE_WEBHOOK_SECRET):
        return []
    return [
        Warning(
            "One of STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET is not set.",
            hint='Set both: docs/deploying.md, "Taking money", says where Stripe shows them.',
            id="booktime.W003",
        )
    ]
