"""What processes share: cache, sessions, channel layer, tasks."""

import socket
from typing import Any

from booktime import environment
from booktime.settings.site import IS_DEMO, REDIS_URL

if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "booktime.resilience.redis_cache.Cache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "booktime",
        }
    }
    # PDFs that were made lately: see staff/papers/pdf_process.py.
    CACHES["papers"] = {**CACHES["default"], "KEY_PREFIX": "booktime-papers"}
    SESSION_ENGINE = "booktime.resilience.sessions"
    # Who listens is silent: only the network's own questions tell that the other end was unplugged.
    _network: dict[str, Any] = {
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            socket.TCP_KEEPIDLE: 2,
            socket.TCP_KEEPINTVL: 1,
            socket.TCP_KEEPCNT: 2,
            socket.TCP_USER_TIMEOUT: 4000,
        },
    }
    if REDIS_URL.startswith("unix:"):
        _network = {}
    CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": REDIS_URL, "socket_timeout": None, "max_connections": 1000, **_network}],
            },
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CACHES["papers"] = {**CACHES["default"], "LOCATION": "papers", "OPTIONS": {"MAX_ENTRIES": 50}}
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

TASKS = {
    "default": {
        "BACKEND": "django_tasks.backends.immediate.ImmediateBackend" if IS_DEMO else "django_tasks_db.DatabaseBackend",
    }
}

# Seconds after which a worker looks again for mails and webhooks that another one, which died, had in hand.
WORKER_CATCHES_UP_EVERY = 15

# For how many days things are kept that nobody needs for longer (booktime/housekeeping.py).
KEPT_DAYS = environment.days(
    "KEPT_DAYS",
    default={
        "visitors_baskets": 30,
        "sent_mails": 30,
        "wrong_passwords": 1,
        "tasks": 14,
        "webhook_deliveries": 90,
        "payment_events": 90,
        "shipment_news": 90,
        "devices": 365,
        "office_history": 730,
    },
)
