import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg2 import extensions

from booktime.resilience import database_watchdog

USABLE = (extensions.TRANSACTION_STATUS_IDLE, extensions.TRANSACTION_STATUS_INTRANS)


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        with database_watchdog.connecting():
            connection = super().get_new_connection(conn_params)
        database_watchdog.watch(connection)
        return connection

    def _close(self) -> None:
        with database_watchdog.no_look():
            super()._close()  # type: ignore[misc]  # the stubs lack it

    def is_usable(self) -> bool:
        """Whether the server has not closed this idle connection, which says so without being asked.

        Django asks "SELECT 1" at each request, which took a sixth of what the basket's page takes. A server that is
        gone without a word answers neither; the query that follows finds that out.
        """
        if self.connection is None or self.connection.get_transaction_status() not in USABLE:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
