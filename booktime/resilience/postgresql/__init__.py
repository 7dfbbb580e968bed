"""Django's backend for PostgreSQL, as this site waits for it: the `ENGINE` of `DATABASES`."""
