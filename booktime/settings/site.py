"""Which kind of site this is, where it stands and what it links to."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from booktime import environment

BASE_DIR = Path(__file__).resolve().parents[2]
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

LANGUAGE_CODE = "en-gb"
# Whose days people see; the database, the logs and the APIs have UTC.
TIME_ZONE = environment.time_zone("TIME_ZONE", default="Europe/London")
# What every price and amount is in.
CURRENCY = environment.currency("CURRENCY", default="GBP")
USE_I18N = True
USE_TZ = True
# One way to write days and times, in the offices too.
FORMAT_MODULE_PATH = "booktime.formats"

# What stands in every page.
GIT_REV = environment.text("GIT_REV")
GA_TRACKER_ID = environment.text("GA_TRACKER_ID")
# The carrier's address for a parcel; `{order_id}` is filled in.
TRACKER_URL = environment.carrier("TRACKER_URL")
