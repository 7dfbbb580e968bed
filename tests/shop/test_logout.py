import pytest

pytestmark = pytest.mark.django_db


def test_post_logs_out(client, alice):
    client.force_login(alice)
    answer = client.post("/logout/")
    assert answer.url == "/"
    assert "_auth_user_id" not in client.session
    assert answer.cookies["sessionid"].value == ""


def test_link_only_asks(client, alice):
    client.force_login(alice)
    assert b"Log out?" in client.get("/logout/").content
    assert "_auth_user_id" in client.session


def test_visitor_has_nothing_to_log_out_of(client):
    assert client.get("/logout/").url == "/"
    assert client.post("/logout/").url == "/"


def test_foreign_form_logs_nobody_out(alice, client_of):
    client = client_of(alice, enforce_csrf_checks=True)
    assert client.post("/logout/").status_code == 403
    assert "_auth_user_id" in client.session
