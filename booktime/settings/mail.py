from booktime import environment

# The demo prints its mail; a server without EMAIL_URL does too, which a check points out.
globals().update(environment.mail("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = SERVER_EMAIL = "BookTime <shop@booktime.example>"
CUSTOMER_SERVICE_EMAIL = "customer-service@booktime.example"
EMAIL_SUBJECT_PREFIX = "[BookTime] "
ADMINS = environment.people("ADMINS")
