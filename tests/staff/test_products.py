from io import BytesIO

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from shop.models import Product
from tests.factories import ProductFactory, ProductTagFactory
from tests.staff.forms import change, form_of, texts_of

LIST = "/office-admin/shop/product/"


def picture(name, colour="navy"):
    file = BytesIO()
    Image.new("RGB", (400, 600), colour).save(file, "JPEG")
    return SimpleUploadedFile(name, file.getvalue(), "image/jpeg")


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_employee_adds_a_book_with_several_pictures(erins):
    fields = form_of(erins.get(f"{LIST}add/"), "product_form")
    pictures = [picture("a.jpg", "navy"), picture("b.jpg", "maroon")]
    new = {"name": "Emma", "slug": "", "price": "8.99", "new_pictures": pictures}
    erins.post(f"{LIST}add/", {**fields, **new})
    book = Product.objects.get()
    assert book.slug == "emma"
    assert [bool(image.thumbnail) for image in book.images.all()] == [True, True]
    page = erins.get(f"{LIST}{book.pk}/change/").content.decode()
    assert all(image.thumbnail.url in page for image in book.images.all())


def test_broken_picture_is_named_and_nothing_is_saved(erins):
    fields = form_of(erins.get(f"{LIST}add/"), "product_form")
    pictures = [picture("good.jpg"), SimpleUploadedFile("bad.jpg", b"no picture", "image/jpeg")]
    answer = erins.post(f"{LIST}add/", {**fields, "name": "Emma", "price": "8.99", "new_pictures": pictures})
    assert "bad.jpg: " in answer.content.decode()
    assert not Product.objects.exists()


@pytest.mark.parametrize("stored_before", [0, 1, 2, 4])
def test_picture_that_cannot_be_stored_is_named_and_nothing_is_saved(erins, monkeypatch, tmp_path, stored_before):
    fields = form_of(erins.get(f"{LIST}add/"), "product_form")
    store, stored = FileSystemStorage._save, []

    def store_some(self, name, content):
        if len(stored) == stored_before:
            raise OSError("No space left on device")
        stored.append(name)
        return store(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", store_some)
    pictures = [picture("a.jpg", "navy"), picture("b.jpg", "maroon")]
    answer = erins.post(f"{LIST}add/", {**fields, "name": "Emma", "price": "8.99", "new_pictures": pictures})
    assert answer.status_code == 200
    assert "The pictures could not be stored just now, so nothing was saved" in answer.content.decode()
    assert not Product.objects.exists()
    # A picture is there as a whole, or not at all.
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == stored_before // 3 * 3


def test_pictures_are_sorted_by_their_positions(erins):
    book = ProductFactory()
    erins.post(
        f"{LIST}{book.pk}/change/",
        {
            **form_of(erins.get(f"{LIST}{book.pk}/change/"), "product_form"),
            "new_pictures": [picture("a.jpg", "navy"), picture("b.jpg", "maroon")],
        },
    )
    first, second = book.images.all()
    change(erins, f"{LIST}{book.pk}/change/", "product_form", **{"images-0-position": "5", "images-1-position": "1"})
    assert list(book.images.all()) == [second, first]


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ("make_active", "active", True),
        ("make_inactive", "active", False),
        ("mark_in_stock", "in_stock", True),
        ("mark_out_of_stock", "in_stock", False),
    ],
)
def test_action_switches_the_books_that_need_it(erins, erin, action, field, value):
    other, already = ProductFactory(**{field: not value}), ProductFactory(name="Ready", **{field: value})
    before = other.date_updated
    said = texts_of(erins.post(LIST, {"action": action, "_selected_action": [other.pk, already.pk]}, follow=True))
    other.refresh_from_db()
    assert getattr(other, field) is value
    assert other.date_updated > before
    assert said[0].startswith("1 product made" if field == "active" else "1 product marked")
    assert said[1] == "1 not changed (Ready): It was so already."
    assert [entry.object_id for entry in erin.logentry_set.all()] == [str(other.pk)]


def test_name_and_slug_of_a_tag_are_for_owners_to_change(erins, olgas):
    tag = ProductTagFactory(name="Crime", slug="crime")
    path = f"shop/producttag/{tag.pk}/change/"
    erins.post(f"/office-admin/{path}", {"name": "Hacked", "slug": "hacked", "description": "Whodunits"})
    tag.refresh_from_db()
    assert (tag.name, tag.slug, tag.description) == ("Crime", "crime", "Whodunits")
    olgas.post(f"/admin/{path}", {"name": "Thrillers", "slug": "thrillers"})
    tag.refresh_from_db()
    assert (tag.name, tag.slug) == ("Thrillers", "thrillers")


def test_books_are_found_by_author_and_title(erins):
    ProductFactory(name="Émile"), ProductFactory(name="Other")
    page = erins.get(LIST, {"q": "emil"}).content.decode()
    assert "Émile" in page
    assert "Other" not in page
