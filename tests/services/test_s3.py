"""Pictures in a bucket, on a server that speaks S3."""

import re
import runpy
from io import StringIO
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from shop.models import Product, ProductImage
from shop.models.covers import picture_address
from tests.factories import OrderLineFactory, ProductFactory
from tests.servers import ROOT, Bucket
from tests.shop.test_picture_files import picture_bytes, upload
from tests.staff.forms import form_of

pytestmark = pytest.mark.django_db
PRODUCTS = "/office-admin/shop/product/"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Bucket(tmp_path_factory.mktemp("bucket")) as server:
        server.let_browsers_read()
        yield server


@pytest.fixture
def bucket(server, settings, monkeypatch, tmp_path):
    """An empty bucket, and a site whose variables name it, with a slash too many."""
    for name, value in {**server.variables, "VAR_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_S3_ENDPOINT_URL", f"{server.url}/")
    pictures = runpy.run_path(str(ROOT / "booktime" / "settings" / "files.py"))["STORAGES"]["default"]
    settings.STORAGES = {**settings.STORAGES, "default": pictures}
    picture_address.cache_clear()
    yield server
    picture_address.cache_clear()
    for key in server.stored():
        server.client.delete_object(Bucket=server.name, Key=key)


def pictures_of(page) -> list[str]:
    return re.findall(r'<img[^>]* src="([^"]+\.jpg)"', page.content.decode())


def may_show(page, address: str) -> bool:
    """Whether the page's policy lets a browser show a picture from there."""
    sources = re.search(r"img-src ([^;]+)", page["Content-Security-Policy"])[1].split()
    return any(address.startswith(f"{source}/") for source in sources)


def test_uploaded_picture_is_in_the_bucket_and_browsers_may_show_it(bucket, client, client_of, olga):
    office = client_of(olga)
    fields = form_of(office.get(f"{PRODUCTS}add/"), "product_form")
    cover = upload(picture_bytes())
    office.post(f"{PRODUCTS}add/", {**fields, "name": "Emma", "price": "8.99", "active": "on", "new_pictures": [cover]})
    picture = ProductImage.objects.get(product__name="Emma")
    assert bucket.stored() == set(picture.file_names())
    for page in (client.get("/product/emma/"), client.get("/products/all/"), office.get(f"{PRODUCTS}")):
        for address in pictures_of(page):
            assert address.startswith(f"{bucket.url}/{bucket.name}/")
            assert may_show(page, address)
            answer = httpx.get(address, timeout=60)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
            assert "immutable" in answer.headers["Cache-Control"]
    assert f"{bucket.url}/{bucket.name}/{picture.image.name}" in pictures_of(client.get("/product/emma/"))
    assert not may_show(client.get("/product/emma/"), "https://elsewhere.example/a.jpg")


def test_import_fills_the_bucket_and_integrity_sees_what_is_lost(bucket, tmp_path, client):
    Image.new("RGB", (400, 600), "navy").save(tmp_path / "cover.png")
    path: Path = tmp_path / "books.csv"
    path.write_text("name,description,tags,image_filename,price\nEmma,Old,Novels,cover.png,6.00\n")
    for _ in range(2):
        call_command("import_data", str(path), str(tmp_path), stdout=StringIO())
        assert len(bucket.stored()) == 3
    (address,) = pictures_of(client.get("/products/all/"))
    assert httpx.get(address, timeout=60).status_code == 200
    call_command("integrity", stdout=StringIO())
    lost = ProductImage.objects.get().thumbnail.name
    bucket.client.delete_object(Bucket=bucket.name, Key=lost)
    report = StringIO()
    with pytest.raises(CommandError):
        call_command("integrity", stdout=report)
    assert f"{lost} is missing" in report.getvalue()
    emptied = ProductImage.objects.get().image.name
    bucket.client.put_object(Bucket=bucket.name, Key=emptied, Body=b"")
    bucket.client.put_object(Bucket=bucket.name, Key="products/left.jpg", Body=b"left")
    with pytest.raises(CommandError):
        call_command("integrity", stdout=report)
    assert f"{emptied} is empty" in report.getvalue()
    assert "The file products/left.jpg belongs to no picture" in report.getvalue()


def test_import_that_fails_leaves_nothing_in_the_bucket(bucket, tmp_path):
    Image.new("RGB", (400, 600), "navy").save(tmp_path / "cover.png")
    path = tmp_path / "books.csv"
    path.write_text("name,description,tags,image_filename,price\nEmma,Old,,cover.png,6.00\nBad,,,none.png,1.00\n")
    with pytest.raises(CommandError):
        call_command("import_data", str(path), str(tmp_path), stdout=StringIO())
    assert not bucket.stored()


def test_files_go_with_the_last_product_that_shows_them(bucket, django_capture_on_commit_callbacks):
    first, second = (
        ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes())) for _ in range(2)
    )
    assert len(bucket.stored()) == 3
    for image, left in ((first, 3), (second, 0)):
        with django_capture_on_commit_callbacks(execute=True):
            Product.objects.get(pk=image.product_id).delete()
        assert len(bucket.stored()) == left


def test_app_and_invoice_do_not_mind_where_pictures_are(bucket, client_of, alice):
    picture = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    line = OrderLineFactory(order__user=alice, product=picture.product)
    browser = client_of(alice)
    (order,) = browser.get("/mobile-api/my-orders/").json()
    assert order["image"] == f"{bucket.url}/{bucket.name}/{picture.thumbnail.name}"
    assert browser.get(f"/orders/{line.order_id}/invoice/").content.startswith(b"%PDF")


def test_address_of_the_sites_own_is_no_picture(bucket, client):
    assert client.get("/media/products/none.jpg").status_code == 404
