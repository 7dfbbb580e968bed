"""What the site is put together from: applications, middleware, templates."""

from booktime.settings.site import BASE_DIR

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
    "booktime.serving.security_headers.SecurityHeaders",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "booktime.serving.request_limits.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shop.web.middleware.SessionMiddleware",
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
            "builtins": ["shop.templatetags.addresses", "shop.templatetags.money"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shop.web.context_processors.site",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
