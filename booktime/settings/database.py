from typing import Any

from booktime import environment
from booktime.settings.site import VAR_DIR

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
