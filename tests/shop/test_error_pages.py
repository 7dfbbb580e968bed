import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from tests.factories import UserFactory


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the secret inside")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def bad(request: HttpRequest) -> HttpResponse:
    raise BadRequest


def loses_the_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection unexpectedly")


def asks_nonsense(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    return HttpResponse()


def keeps_a_session(request: HttpRequest) -> HttpResponse:
    request.session["seen"] = request.session.get("seen", 0) + 1
    return HttpResponse()


urlpatterns = [
    path("lost/", loses_the_database),
    path("api/lost/", loses_the_database),
    path("nonsense/", asks_nonsense),
    path("session/", keeps_a_session),
    path("fails/", fails),
    path("forbidden/", forbidden),
    path("bad/", bad),
    path("", include("booktime.urls")),
]
handler400 = "shop.web.error_pages.bad_request"
handler500 = "shop.web.error_pages.server_error"

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


@pytest.mark.django_db
def test_unknown_page_leads_to_the_books(visitor):
    response = visitor.get("/no/such/page/")
    assert response.status_code == 404
    assert b"not on our shelves" in response.content
    assert b"/products/all/" in response.content


@pytest.mark.django_db
def test_closed_page_says_who_one_is(visitor):
    assert b"/login/?next=/forbidden/" in visitor.get("/forbidden/").content
    visitor.force_login(UserFactory(email="alice@example.com"))
    response = visitor.get("/forbidden/")
    assert response.status_code == 403
    assert b"logged in as alice@example.com" in response.content


def test_failure_is_a_page_without_the_database(visitor):
    # Without the django_db mark any query would fail.
    response = visitor.get("/fails/")
    assert response.status_code == 500
    assert b"Something went wrong on our side" in response.content
    assert b"secret inside" not in response.content
    assert response["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/fails/", "/bad/"])
def test_page_of_last_resort_says_which_version_it_is_of(visitor, settings, path):
    settings.GIT_REV, settings.GA_TRACKER_ID = "abc123", "G-42"
    html = visitor.get(path).content.decode()
    assert '<meta name="version" content="abc123">' in html
    assert '<meta name="ga-tracker-id" content="G-42">' in html


def test_lost_database_is_told_to_a_person_with_a_way_back(visitor):
    response = visitor.get("/lost/?page=2")
    assert (response.status_code, response["Retry-After"], response["Cache-Control"]) == (503, "5", "no-store")
    assert b"The shop is out for a moment" in response.content
    assert b'href="/lost/?page=2"' in response.content
    assert b'href="/"' in visitor.post("/lost/").content.split(b"Nothing of yours is lost")[1]
    assert response["Content-Security-Policy"]


def test_lost_database_is_told_to_a_page_in_a_sentence(visitor):
    response = visitor.get("/lost/", headers={"HX-Request": "true"})
    assert (response.status_code, response["Content-Type"]) == (503, "text/plain")
    assert response.content == b"The shop is out for a moment. Try again in a few seconds."


@pytest.mark.parametrize(("path", "accept"), [("/api/lost/", "*/*"), ("/lost/", "application/json")])
def test_lost_database_is_told_to_a_program_in_json(visitor, path, accept):
    response = visitor.get(path, headers={"Accept": accept})
    assert response.status_code == 503
    assert list(response.json()) == ["detail"]


def test_lost_database_is_no_error_that_admins_get_mail_of(visitor, caplog):
    visitor.get("/lost/")
    assert [record.levelname for record in caplog.records if record.name != "booktime.request"] == ["WARNING"]


@pytest.mark.django_db
def test_error_in_a_query_is_a_failure_of_ours(visitor):
    assert visitor.get("/nonsense/").status_code == 500


@pytest.mark.django_db
def test_session_that_the_database_did_not_take_is_no_bad_request(visitor, monkeypatch):
    visitor.get("/session/")

    def refuse(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(Session, "save", refuse)
    assert visitor.get("/session/").status_code == 503


def test_failure_names_a_number_to_quote(visitor):
    response = visitor.get("/fails/", headers={"X-Request-ID": "seen-by-the-proxy-7"})
    assert b"Quote this number" in response.content
    assert b"<code>seen-by-the-proxy-7</code>" in response.content


def test_failure_is_a_page_without_collected_static_files(visitor, settings):
    manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": manifest}}
    assert b'href="/static/css/booktime.css"' in visitor.get("/fails/").content


def test_nonsense_is_a_page(visitor):
    response = visitor.get("/bad/")
    assert response.status_code == 400
    assert b"did not understand" in response.content


def test_foreign_host_is_a_page(visitor):
    assert b"did not understand" in visitor.get("/", headers={"host": "evil.example"}).content


@pytest.mark.django_db
def test_form_without_its_token_says_what_to_do():
    response = Client(enforce_csrf_checks=True).post("/contact-us/", {"name": "x", "message": "y"})
    assert response.status_code == 403
    assert b"Please send it again" in response.content
    assert b'href="/contact-us/"' in response.content


@pytest.mark.parametrize("template", ["400.html", "500.html", "503.html"])
def test_page_of_last_resort_needs_no_context(template):
    from django.template.loader import render_to_string

    page = render_to_string(template)
    assert "<h1>" in page
    assert "Quote this number" not in page
