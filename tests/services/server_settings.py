"""A server's own tasks, mail and pictures, where `tests.settings` has what answers at once."""

from booktime import settings as site
from tests.settings import *

TASKS = site.TASKS
STORAGES = {**STORAGES, "default": site.STORAGES["default"]}
WEBHOOKS_ALLOW_PRIVATE = True
WORKER_CATCHES_UP_EVERY = 1
