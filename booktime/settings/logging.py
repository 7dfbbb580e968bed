from booktime.observing import logs
from booktime.settings.site import IS_DEMO

LOGGING = logs.configuration(as_json=not IS_DEMO)
