"""A connection's health, which is told without asking the server."""

import psycopg2
import pytest
from django.db import ProgrammingError, connection, transaction

from tests.servers import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_connection_is_usable_at_rest_and_in_a_transaction():
    connection.ensure_connection()
    assert connection.is_usable()
    with transaction.atomic():
        assert connection.is_usable()


def test_connection_is_not_usable_in_a_transaction_that_failed():
    with transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(ProgrammingError):
            cursor.execute("SELECT nonsense")
        assert not connection.is_usable()
        transaction.set_rollback(True)
    assert connection.is_usable()


def test_connection_that_the_server_closed_is_replaced_before_anybody_notices():
    connection.ensure_connection()
    process = connection.connection.info.backend_pid
    with psycopg2.connect(**connection.get_connection_params()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [process])
    other.close()
    wait_until(lambda: not connection.is_usable(), "the server's farewell")
    connection.health_check_enabled, connection.health_check_done = True, False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (process,)
