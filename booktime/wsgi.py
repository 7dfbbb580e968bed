"""The pages alone, for a WSGI server such as gunicorn; sockets and events need `booktime.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")

application = get_wsgi_application()

from booktime import patience  # noqa: E402  # the settings are loaded now

patience.be_impatient()
