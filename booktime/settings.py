"""BookTime's settings, read from the environment (docs/deploying.md lists every variable).

Three kinds of site come out of it:

* the demo: no `SECRET_KEY`. SQLite, one process, plain HTTP on localhost;
* a server of one process: `SECRET_KEY`, on any database, without `REDIS_URL`;
* a server of any number of processes: `SECRET_KEY`, `DATABASE_URL` and `REDIS_URL`.
"""

import re
import secrets
import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from booktime import environment
from booktime.observing import logs

BASE_DIR = Path(__file__).resolve().parent.parent
# All that a running site writes: the demo's database and secret key, pictures, collected static files.
VAR_DIR = Path(environment.text("VAR_DIR") or BASE_DIR / "var")


def demo_secret_key() -> str:
    """The demo's own key: made at the first start, kept out of git and readable by its owner alone."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


IS_DEMO = not environment.text("SECRET_KEY")
if IS_DEMO:
    for _name in ("DATABASE_URL", "REDIS_URL"):
        if environment.text(_name):
            raise ImproperlyConfigured(f"{_name} is set but SECRET_KEY is not: a server needs both. Set SECRET_KEY.")
SECRET_KEY = demo_secret_key() if IS_DEMO else environment.text("SECRET_KEY")
DEBUG = environment.boolean("DEBUG", default=False)
REDIS_URL = environment.redis("REDIS_URL")
ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# How links in mails begin, where it is set; else as the address at which the site was asked.
SITE_ADDRESS = environment.site_address("SITE_ADDRESS")

# How many pages one process serves at once, and so how many database connections they keep.
PAGE_THREADS = environment.whole_number("PAGE_THREADS", default=4)
# Who may read /metrics.
METRICS_ALLOWED = environment.networks("METRICS_ALLOWED", default="127.0.0.1, ::1")

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    # Before django_tasks_db, whose worker it takes the place of.
    "booktime",
    "django_tasks",
    "django_tasks_db",
    "axes",
    "shop",
    "support",
    "staff",
    "staff.apps.BackOffices",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_tables2",
    "channels",
]

MIDDLEWARE = [
    "booktime.observing.metrics.RequestMetrics",
    "booktime.observing.logs.RequestLog",
    # Before whatever answers by itself: files and redirects are safe, too.
    "booktime.serving.security_headers.SafetyHeaders",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "booktime.serving.request_limits.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "shop.web.middleware.LoginInsteadOfFragment",
    "shop.web.middleware.LoginAnswers",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "booktime.urls"
ASGI_APPLICATION = "booktime.asgi.application"
WSGI_APPLICATION = "booktime.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["shop.templatetags.addresses"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.web.context_processors.site",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": environment.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'demo.sqlite3'}")
}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    # Without these, concurrent writers answer "database is locked" (docs/architecture.md).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
    }
else:
    _database["ENGINE"] = "booktime.resilience.postgresql"
    # A connection is kept by each thread of the pool in booktime/asgi.py: their number is the pool's size.
    _database["CONN_MAX_AGE"] = 600
    _database["CONN_HEALTH_CHECKS"] = True
    # A server that hangs is noticed where people wait (booktime/resilience/database_watchdog.py), one that was
    # unplugged by all processes.
    _database["OPTIONS"] = {
        "connect_timeout": 3,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
        **_database.get("OPTIONS", {}),
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Shared state: cache, sessions, channel layer, tasks --------------------------------------------------------

if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "booktime.resilience.cache.Cache",
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
        "shipment_news": 90,
        "devices": 365,
        "office_history": 730,
    },
)

# --- Mail -------------------------------------------------------------------------------------------------------

# The demo prints its mail; a server without EMAIL_URL does too, which a check points out.
globals().update(environment.mail("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 5
DEFAULT_FROM_EMAIL = SERVER_EMAIL = "BookTime <shop@booktime.example>"
CUSTOMER_SERVICE_EMAIL = "customer-service@booktime.example"
EMAIL_SUBJECT_PREFIX = "[BookTime] "
ADMINS = environment.people("ADMINS")

# --- People -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "shop.User"
AUTHENTICATION_BACKENDS = ["shop.web.throttle.LoginThrottle", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["shop.people.password_hashing.PasswordHasher"]
# How many passwords a process hashes at once, and how many more wait for it: one thread is always left for pages.
HASHES_AT_ONCE = max(1, min(2, PAGE_THREADS // 2))
HASHES_WAITING = max(0, min(PAGE_THREADS // 2, PAGE_THREADS - HASHES_AT_ONCE - 1))
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"

# Wrong passwords: see shop/web/throttle.py.
AXES_HANDLER = "shop.web.throttle.FailedLogins"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], "username"]
AXES_LOCKOUT_CALLABLE = "shop.web.throttle.locked_out"
AXES_USERNAME_CALLABLE = "shop.web.throttle.account_name"
AXES_CLIENT_IP_CALLABLE = "shop.web.throttle.client_address"
AXES_USERNAME_FORM_FIELD = "email"
AXES_RESET_ON_SUCCESS = True
# Trying on while locked out does not prolong it, so that nobody can keep another out for good.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_SENSITIVE_PARAMETERS = ["username", "email", "ip_address", "password1", "password2", "old_password", "token"]
AXES_VERBOSE = False
# From one address within a minute, whatever the accounts: a whole office may sit behind it.
WRONG_LOGINS_A_MINUTE = 300

# How often one address may send these forms within an hour: a whole office may sit behind it.
POSTS_AN_HOUR = {"signup": 300, "contact": 100, "password_reset": 100}

# How many visitors from one address may begin a basket within an hour.
NEW_BASKETS_AN_HOUR = 1000

# --- Language and time ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
# Whose days people see; the database, the logs and the APIs have UTC.
TIME_ZONE = environment.time_zone("TIME_ZONE", default="Europe/London")
USE_I18N = True
USE_TZ = True
# One way to write days and times, in the offices too.
FORMAT_MODULE_PATH = "booktime.formats"

# --- Files ------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
if IS_DEMO:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# The demo serves static files from where they stand, so that it needs no collectstatic.
WHITENOISE_USE_FINDERS = IS_DEMO
WHITENOISE_MAX_AGE = 0 if IS_DEMO else 60
_bucket = environment.bucket()
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "booktime.resilience.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": _bucket["AWS_STORAGE_BUCKET_NAME"],
            "access_key": _bucket["AWS_ACCESS_KEY_ID"],
            "secret_key": _bucket["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": _bucket["AWS_S3_ENDPOINT_URL"] or None,
            "file_overwrite": False,
            "querystring_auth": False,
            # A picture's name follows from its content.
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    }
    if _bucket
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# How large the body of a request may be; where staff send pictures, several of them fit in.
REQUEST_MAX_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
UPLOAD_MAX_BYTES = 100_000_000
UPLOAD_PATHS = re.compile(r"/(admin|office-admin)/shop/(product|productimage)/(add|[^/]+/change)/")
# How much of bodies that did not arrive whole yet a process holds, and of those from one address.
UNFINISHED_MAX_BYTES = 500_000_000
UNFINISHED_MAX_BYTES_OF_AN_ADDRESS = 50_000_000
# How many fields a form may have: an order of 500 lines has up to nine of each line in the back offices.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
PICTURE_MAX_BYTES = 10_000_000
PICTURE_MAX_PIXELS = 40_000_000

# --- Security ---------------------------------------------------------------------------------------------------

SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "shop.web.error_pages.csrf_failure"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# The site stands at the root of its host, whatever a header says.
FORCE_SCRIPT_NAME = ""
MESSAGE_STORAGE = "shop.web.flash_messages.LatestNotices"
CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "style-src": ["'self'"],
    "script-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
PERMISSIONS_POLICY = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone"),
    *("midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
if IS_DEMO:
    # The demo is plain HTTP on localhost by definition: what these ask for would make it unreachable.
    SILENCED_SYSTEM_CHECKS = [f"security.{check}" for check in ("W004", "W008", "W012", "W016")]
else:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = not DEBUG
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
    SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True

# --- What stands in every page ----------------------------------------------------------------------------------

GIT_REV = environment.text("GIT_REV")
GA_TRACKER_ID = environment.text("GA_TRACKER_ID")
# The carrier's address for a parcel; `{order_id}` is filled in.
TRACKER_URL = environment.carrier("TRACKER_URL")

LOGGING = logs.configuration(as_json=not IS_DEMO)

# --- Libraries --------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "BookTime dispatch",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "ENUM_NAME_OVERRIDES": {
        "OrderLineStatus": "shop.models.OrderLine.Status",
        "Country": "shop.models.user.Country",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "SORT_OPERATIONS": False,
    # The document is of the dispatch API alone, and tests read it; the check looks at every path of the site.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    # What may be read may be empty, what is written may not.
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Dispatch API -----------------------------------------------------------------------------------------------

# Requests a minute for each user: a runaway loop meets it, a day's work does not.
API_REQUESTS_PER_MINUTE = 3000
# Wrong tokens a minute from one address; wrong passwords are counted with those of the login page.
API_WRONG_TOKENS_PER_MINUTE = 60
# Whether webhooks may be posted to this machine and its private network, and over plain HTTP.
WEBHOOKS_ALLOW_PRIVATE = False
