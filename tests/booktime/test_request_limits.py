"""How much of a body is taken where no daphne was before the site; `tests/services` has the same with daphne."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from shop.models import ProductImage
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db

FORMS = [
    "/admin/shop/product/add/",
    "/office-admin/shop/product/7/change/",
    "/admin/shop/productimage/add/",
    "/office-admin/shop/productimage/7/change/",
]


def large_picture():
    output = BytesIO()
    # Not packed, so that it is large without taking long to make.
    Image.new("RGB", (1100, 1100)).save(output, "PNG", compress_level=0)
    assert output.tell() > 3_000_000
    return SimpleUploadedFile("cover.png", output.getvalue())


def test_staff_send_a_large_picture(client, olga):
    """Straight away, as a program may that never fetched the form."""
    client.force_login(olga)
    form = {"product": ProductFactory().pk, "image": large_picture(), "position": 0}
    assert client.post("/admin/shop/productimage/add/", form).status_code == 302
    assert ProductImage.objects.get().width == 1100


@pytest.mark.parametrize("path", FORMS)
def test_others_are_refused_and_told_to_log_in(client, alice, path):
    for visitor in (Client(), client):
        client.force_login(alice)
        answer = visitor.post(path, {"image": large_picture()})
        assert answer.status_code == 413
        assert f'href="{path}"' in answer.content.decode()
        assert b"log in" in answer.content


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/admin/shop/product/", "/admin/shop/order/1/change/", "/contact-us/"]
)
def test_staff_are_refused_elsewhere(client, olga, path):
    client.force_login(olga)
    answer = client.post(path, {"image": large_picture()})
    assert answer.status_code == 413
    assert b"log in" not in answer.content


def test_session_that_ended_sends_no_more_pictures(client, olga):
    client.force_login(olga)
    old = client.cookies["sessionid"].value
    olga.set_password("another-password-42")
    olga.save()
    client.cookies["sessionid"] = old
    assert client.post("/admin/shop/product/add/", {"image": large_picture()}).status_code == 413
