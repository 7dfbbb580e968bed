import zlib
from io import BytesIO
from pathlib import Path

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from PIL import Image, features

from shop.models import ProductImage
from tests.factories import ProductFactory

pytestmark = pytest.mark.django_db

RED = (200, 30, 30)


def picture_bytes(mode="RGB", size=(400, 600), format="JPEG", colour=None, **options) -> bytes:
    output = BytesIO()
    image = Image.new("RGB", size, colour or RED).convert(mode) if mode != "I;16" else Image.new(mode, size, 30000)
    image.save(output, format, **options)
    return output.getvalue()


def upload(content: bytes, name="cover.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


class PictureForm(forms.ModelForm):
    class Meta:
        model = ProductImage
        fields = ("image",)


def form_error(content: bytes, name="cover.jpg") -> str:
    form = PictureForm(files={"image": upload(content, name)})
    assert not form.is_valid()
    return str(form.errors["image"][0])


def stored_files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        ("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("L", "PNG"),
        ("LA", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("P", "GIF"), ("RGB", "WEBP"), ("RGBA", "WEBP"),
    ],
)  # fmt: skip
def test_every_kind_of_picture_gets_a_small_jpeg(mode, format) -> None:
    image = ProductImage.objects.create(
        product=ProductFactory(), image=upload(picture_bytes(mode, format=format), "photo.bin")
    )
    image.refresh_from_db()
    with Image.open(image.thumbnail) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert thumbnail.mode == "RGB"
        assert thumbnail.size == (200, 300) == (image.thumbnail_width, image.thumbnail_height)
    assert (image.width, image.height) == (400, 600)


def thumbnail_colour(content: bytes) -> tuple[int, ...]:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(content))
    with Image.open(image.thumbnail) as thumbnail:
        return thumbnail.getpixel((thumbnail.width // 2, thumbnail.height // 2))


def test_cmyk_keeps_its_colour() -> None:
    assert all(abs(a - b) < 12 for a, b in zip(thumbnail_colour(picture_bytes("CMYK")), RED, strict=True))


def test_what_one_sees_through_is_white_in_the_thumbnail() -> None:
    for mode in ("RGBA", "LA"):
        output = BytesIO()
        Image.new(mode, (50, 50), (0,) * len(mode)).save(output, "PNG")
        assert min(thumbnail_colour(output.getvalue())) > 250


def test_sixteen_bits_of_grey_are_scaled_to_eight() -> None:
    assert 110 < thumbnail_colour(picture_bytes("I;16", format="PNG"))[0] < 124


def test_a_photograph_held_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = ProductImage.objects.create(
        product=ProductFactory(), image=upload(picture_bytes(size=(600, 400), exif=exif))
    )
    assert (image.width, image.height) == (400, 600)
    with Image.open(image.thumbnail) as thumbnail:
        assert thumbnail.size == (200, 300)
        assert 0x0112 not in thumbnail.getexif()


def test_a_small_picture_is_not_blown_up_and_a_long_one_keeps_a_pixel() -> None:
    small = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes(size=(20, 30))))
    assert (small.thumbnail_width, small.thumbnail_height) == (20, 30)
    long = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes(size=(3000, 2))))
    assert (long.thumbnail_width, long.thumbnail_height) == (300, 1)


def test_broken_and_disguised_files_are_form_errors() -> None:
    whole = picture_bytes(size=(900, 900), colour=(1, 2, 3), format="PNG")
    assert "broken" in form_error(whole[: len(whole) // 2], "cover.png")
    jpeg = picture_bytes(size=(900, 900))
    assert "broken" in form_error(jpeg[: len(jpeg) // 2])
    for content in (
        b"",
        b"not a picture",
        b"<html><script>alert(1)</script></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        picture_bytes(format="TIFF"),
        picture_bytes(format="BMP"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 50,
    ):
        assert form_error(content)
    assert "JPEG, PNG, GIF or WebP" in form_error(b"<svg/>", "cover.png")


def test_a_decompression_bomb_is_refused_by_its_header(settings) -> None:
    settings.PICTURE_MAX_PIXELS = 1_000_000
    assert "1 million pixels" in form_error(picture_bytes("1", size=(1001, 1000), format="PNG"), "bomb.png")
    PictureForm(files={"image": upload(picture_bytes("1", size=(1000, 1000), format="PNG"))}).is_valid()
    header = bytearray(picture_bytes("1", size=(10, 10), format="PNG"))
    header[16:24] = (60000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    assert "1 million pixels" in form_error(bytes(header), "bomb.png")
    with pytest.raises(ValidationError, match="million pixels"):
        ProductImage.objects.create(product=ProductFactory(), image=upload(bytes(header)))


def test_a_file_of_too_many_bytes_is_refused(settings) -> None:
    settings.PICTURE_MAX_BYTES = 1000
    assert "too large" in form_error(picture_bytes(size=(900, 900)))


def test_a_refused_picture_leaves_neither_row_nor_file(media_root) -> None:
    with pytest.raises(ValidationError):
        ProductImage.objects.create(product=ProductFactory(), image=upload(b"not a picture"))
    assert not ProductImage.objects.exists()
    assert stored_files(media_root) == set()


def test_the_name_the_sender_gave_is_never_used(media_root) -> None:
    image = ProductImage(product=ProductFactory())
    image.image = upload(picture_bytes(format="PNG"), "../../evil.html")
    image.save()
    assert image.image.name.startswith("products/")
    assert image.image.name.endswith(".png")
    assert not any("evil" in name or "html" in name for name in stored_files(media_root))


def test_products_with_the_same_picture_share_its_files(media_root, django_capture_on_commit_callbacks) -> None:
    first, second = (
        ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes())) for _ in range(2)
    )
    assert len(stored_files(media_root)) == 3
    with django_capture_on_commit_callbacks(execute=True):
        first.delete()
    assert len(stored_files(media_root)) == 3
    with django_capture_on_commit_callbacks(execute=True):
        second.product.delete()
    assert stored_files(media_root) == set()


def test_replacing_a_picture_removes_the_old_files(media_root, django_capture_on_commit_callbacks) -> None:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    old = stored_files(media_root)
    with django_capture_on_commit_callbacks(execute=True):
        image.image = upload(picture_bytes(colour=(0, 0, 250)))
        image.save()
    assert len(stored_files(media_root)) == 3
    assert not old & stored_files(media_root)
    assert set(image.file_names()) == stored_files(media_root)


def test_a_replacement_that_is_rolled_back_keeps_the_old_picture(media_root) -> None:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    old = stored_files(media_root)
    with pytest.raises(RuntimeError), transaction.atomic():
        image.image = upload(picture_bytes(colour=(0, 0, 250)))
        image.save()
        raise RuntimeError
    assert old <= stored_files(media_root)


def test_saving_again_leaves_the_thumbnail_alone(media_root) -> None:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    thumbnail = media_root / image.thumbnail.name
    made = thumbnail.stat().st_mtime_ns
    image.position = 3
    image.save()
    assert thumbnail.stat().st_mtime_ns == made
    assert len(stored_files(media_root)) == 3


def test_the_site_serves_a_picture_to_keep_for_good(client) -> None:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes(format="PNG")))
    response = client.get(f"/media/{image.image.name}")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in response["Cache-Control"]
    assert response["Vary"] == "Accept"
    assert b"".join(response.streaming_content).startswith(b"\x89PNG")
    assert client.get(f"/media/{image.image.name}", headers={"If-None-Match": response["ETag"]}).status_code == 304
    assert client.get(image.thumbnail.url)["Content-Type"] == "image/jpeg"


def test_a_browser_that_takes_webp_gets_the_thumbnail_so(client) -> None:
    image = ProductImage.objects.create(product=ProductFactory(), image=upload(picture_bytes()))
    response = client.get(image.thumbnail.url, headers={"Accept": "image/avif,image/webp,*/*;q=0.8"})
    assert response["Content-Type"] == "image/webp"
    small = Image.open(BytesIO(b"".join(response.streaming_content)))
    assert (small.format, small.size) == ("WEBP", (image.thumbnail_width, image.thumbnail_height))
    assert response["ETag"] != client.get(image.thumbnail.url)["ETag"]


def test_the_site_serves_nothing_but_pictures(client, media_root) -> None:
    (media_root / "products").mkdir(parents=True)
    (media_root / "products" / "page.html").write_text("<script>alert(1)</script>")
    (media_root / "secret.jpg").write_text("secret")
    (media_root.parent / "outside.jpg").write_text("secret")
    for path in (
        "products/page.html", "products/", "products/none.jpg", "secret.jpg", "../outside.jpg",
        "products/../secret.jpg", "products/..%2fsecret.jpg", "products/%2e%2e/secret.jpg", "invoices/secret.jpg",
        "products/%00.jpg",
    ):  # fmt: skip
        assert client.get(f"/media/{path}").status_code == 404
    assert client.post("/media/products/none.jpg").status_code == 405


def test_pillow_here_reads_webp() -> None:
    assert features.check("webp")
