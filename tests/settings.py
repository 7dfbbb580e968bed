"""The site's own settings, without what a test run must not have: TLS redirects, slow hashes, a built manifest."""

import os

if "REDIS_URLS" in os.environ:
    _worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.environ["REDIS_URL"] = os.environ["REDIS_URLS"].split()[_worker]

from booktime.settings import *

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Whatever the machine has: a zone whose clocks change.
TIME_ZONE = "Europe/London"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Static files from where they stand, also with the settings of a server.
WHITENOISE_USE_FINDERS = True
