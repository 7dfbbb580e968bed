"""Accounts, passwords, and how often one may try."""

from datetime import timedelta

from booktime.settings.site import PAGE_THREADS

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
