import pytest
from django.core.exceptions import BadRequest, PermissionDenied
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


urlpatterns = [
    path("fails/", fails),
    path("forbidden/", forbidden),
    path("bad/", bad),
    path("", include("booktime.urls")),
]
handler400 = "shop.views.errors.bad_request"
handler500 = "shop.views.errors.server_error"

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
