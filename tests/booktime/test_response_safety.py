"""What each response tells a browser to refuse, on every address of the site."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from booktime.serving.security_headers import SecurityHeaders
from tests.addresses import a_shop, every_address

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "srcset", "form": "action"}


class Findings(HTMLParser):
    """What a page holds that the policy refuses: code and styles of its own, and what comes from another host."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.within = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.within = tag if tag == "style" or (tag == "script" and "json" not in given.get("type", "")) else ""
        self.found += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]
        address = given.get(LOADING.get(tag, ""), "") or ""
        if urlsplit(address).netloc not in ("", "testserver") or address.startswith("javascript:"):
            self.found.append(address)

    def handle_data(self, data):
        if self.within and data.strip():
            self.found.append(f"<{self.within}>{data[:60]}")

    def handle_endtag(self, tag):
        self.within = ""


def check(response, what):
    policy = {
        name: sources for name, _, sources in map(split_directive, response["Content-Security-Policy"].split(";"))
    }
    assert "unsafe" not in response["Content-Security-Policy"], what
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'", what
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'", what
    assert response["X-Frame-Options"] == "DENY", what
    assert response["X-Content-Type-Options"] == "nosniff", what
    assert response["Referrer-Policy"] == response["Cross-Origin-Opener-Policy"] == "same-origin", what
    assert "camera=()" in response["Permissions-Policy"], what
    if "html" in response.get("Content-Type", "") and not response.streaming:
        assert Findings(response.content.decode()).found == [], what


def split_directive(text):
    return text.strip().partition(" ")


@pytest.mark.parametrize("who", ["visitor", "shopper", "owner"])
def test_every_page_is_safe(request, alice, olga, who, blank_papers):
    paths = every_address(a_shop(alice if who == "shopper" else olga))
    browser = Client(raise_request_exception=False, headers={"Accept": "text/html"})
    if who != "visitor":
        browser.force_login(alice if who == "shopper" else olga)
    pages = 0
    for path in paths:
        response = browser.get(path)
        check(response, path)
        pages += response.status_code == 200
        if who != "visitor" and not is_public(path):
            assert "no-store" in response["Cache-Control"], path
    assert pages > {"visitor": 15, "shopper": 25, "owner": 100}[who]


PUBLIC = r"/|/(products|product|author|series)/[\w-]+/|/media/.*|/app/.*|/mobile-api/my-orders/|/.*/jsi18n/"


def is_public(path):
    """What holds nothing of a person's, or is kept for this person alone and asked for anew each time."""
    return re.fullmatch(PUBLIC, path)


def test_catalogue_is_kept_for_its_visitor_alone(client, alice):
    shop = a_shop(alice)
    client.force_login(alice)
    for path in ("/", f"/product/{shop['']['slug']}/", "/products/all/"):
        response = client.get(path)
        assert response["Cache-Control"] == "private, no-cache"
        assert "Cookie" in response["Vary"]
        assert client.get(path, headers={"If-None-Match": response["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("status", "ask"),
    {
        301: lambda browser: browser.get("/basket"),
        400: lambda browser: browser.get("/", headers={"Host": "elsewhere.example"}),
        403: lambda browser: browser.post("/login/", {"email": "a@b.example"}),
        404: lambda browser: browser.get("/nowhere/"),
        405: lambda browser: browser.get("/add_to_basket/"),
        413: lambda browser: browser.generic("POST", "/login/", CONTENT_LENGTH="99999999"),
        500: lambda browser: browser.get("/about-us/"),
    }.items(),
)
def test_error_page_is_safe(monkeypatch, status, ask):
    if status == 500:
        monkeypatch.setattr("shop.views.pages.render", lambda *args: 1 / 0)
    response = ask(Client(raise_request_exception=False, enforce_csrf_checks=True))
    assert response.status_code == status
    check(response, status)
    assert "no-store" in response["Cache-Control"]


def test_file_is_safe(client):
    response = client.get("/static/js/site.js")
    assert response.status_code == 200
    check(response, "static")


def test_redirect_to_https_is_safe(settings):
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/")
    check(response, "redirect")


def test_cookies_are_out_of_reach(settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    browser = Client()
    browser.get("/signup/", secure=True)
    fields = {"email": "new@example.com", "password1": "lantern-orchard-42", "password2": "lantern-orchard-42"}
    browser.post("/signup/", fields, secure=True)
    assert {"sessionid", "csrftoken", "messages"} <= set(browser.cookies)
    for cookie in browser.cookies.values():
        assert cookie["httponly"] and cookie["secure"] and cookie["samesite"] == "Lax", cookie


def test_pictures_may_come_from_the_bucket(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"base_url": "https://books.example/"},
        },
    }
    response = SecurityHeaders(lambda request: HttpResponse())(RequestFactory().get("/"))
    assert "img-src 'self' data: https://books.example;" in response["Content-Security-Policy"]
