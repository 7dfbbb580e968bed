"""The dispatch and the mobile API, and their libraries."""

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
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "SORT_OPERATIONS": False,
    # The document is of the dispatch API alone, and tests read it; the check looks at every path of the site.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    # What may be read may be empty, what is written may not.
    "COMPONENT_SPLIT_REQUEST": True,
}

# Requests a minute for each user: a runaway loop meets it, a day's work does not.
API_REQUESTS_PER_MINUTE = 3000
# Wrong tokens a minute from one address; wrong passwords are counted with those of the login page.
API_WRONG_TOKENS_PER_MINUTE = 60
# Whether webhooks may be posted to this machine and its private network, and over plain HTTP.
WEBHOOKS_ALLOW_PRIVATE = False
