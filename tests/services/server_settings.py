"""A server's own tasks, mail and pictures, where `tests.settings` has what answers at once."""

from booktime import settings as as_deployed
from tests.settings import *

TASKS = as_deployed.TASKS
STORAGES = {**STORAGES, "default": as_deployed.STORAGES["default"]}
WEBHOOKS_ALLOW_PRIVATE = True
WORKER_CATCHES_UP_EVERY = 1
