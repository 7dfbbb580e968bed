"""What a photograph's file tells of its maker is not stored, and the picture stays as it is."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from shop.models import ProductImage
from shop.values.picture_files import clean, read_picture
from shop.values.picture_metadata import without_metadata
from tests.factories import ProductFactory

SECRET = b"taken-at-home-by-olga"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION, GPS = 0x0112, 0x8825


def exif(orientation=None):
    made = Image.Exif()
    made[0x010F], made[0x013B] = "Camera", SECRET.decode()
    made.get_ifd(GPS).update({1: "N", 2: (51.0, 30.0, 26.0), 3: "W", 4: (0.0, 7.0, 39.0)})
    if orientation:
        made[ORIENTATION] = orientation
    return made


def drawing(size=(60, 40), mode="RGB"):
    """One that shows which way round it is."""
    image = Image.linear_gradient("L").resize(size).rotate(7)
    return Image.merge("RGB", (image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image)).convert(mode)


def saved(image, format, **options):
    output = BytesIO()
    image.save(output, format, **options)
    return output.getvalue()


def jpeg(**options):
    return saved(
        drawing(), "JPEG", **{"exif": exif(), "comment": SECRET, "xmp": XMP, "icc_profile": PROFILE, **options}
    )


def png():
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    written = saved(drawing(mode="RGBA"), "PNG", exif=exif(), pnginfo=text, icc_profile=PROFILE)
    odd = struct.pack(">I", len(SECRET)) + b"prIv" + SECRET + struct.pack(">I", zlib.crc32(b"prIv" + SECRET))
    return written[:33] + odd + written[33:] + SECRET


def gif():
    frames = [drawing(mode="L").rotate(turn) for turn in (0, 90, 180)]
    written = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=3, duration=70, comment=SECRET)
    return written + SECRET


PICTURES = {
    "JPEG": ("jpg", jpeg()),
    "progressive JPEG": ("jpg", jpeg(progressive=True)),
    "CMYK JPEG": ("jpg", saved(drawing(mode="CMYK"), "JPEG", exif=exif())),
    "JPEG with more behind it": ("jpg", jpeg() + SECRET),
    "MPO": ("jpg", saved(drawing(), "MPO", save_all=True, append_images=[drawing()], exif=exif(), comment=SECRET)),
    "PNG": ("png", png()),
    "GIF": ("gif", gif()),
    "WebP": ("webp", saved(drawing(), "WEBP", exif=exif(), xmp=XMP, icc_profile=PROFILE)),
    "lossless WebP": ("webp", saved(drawing(mode="RGBA"), "WEBP", exif=exif(), xmp=XMP, lossless=True)),
}


def shown(content):
    """Every frame, as it looks and for how long."""
    with Image.open(BytesIO(content)) as image:
        frames = ImageSequence.Iterator(image) if image.format in {"GIF", "WEBP"} else [image]
        looks = [(frame.convert("RGBA").tobytes(), frame.info.get("duration")) for frame in frames]
        return looks, image.size, image.info.get("loop"), image.info.get("icc_profile")


@pytest.mark.parametrize("kind", PICTURES)
def test_metadata_goes_and_the_picture_stays(kind):
    extension, sent = PICTURES[kind]
    assert SECRET in sent or b"Camera" in sent
    stored = read_picture(BytesIO(sent)).content
    assert SECRET not in stored
    for telling in (b"Camera", b"Exif\0\0", b"xmpmeta", b"eXIf", b"EXIF", b"XMP ", b"MPF\0"):
        assert telling not in stored
    with Image.open(BytesIO(stored)) as image:
        assert not image.getexif()
    assert shown(stored) == shown(sent)
    # Once more changes nothing.
    assert without_metadata(stored, extension) == stored


@pytest.mark.parametrize(("format", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_stored_upright(format, extension, orientation):
    sent = saved(drawing((400, 200)), format, exif=exif(orientation), icc_profile=PROFILE)
    picture = read_picture(BytesIO(sent))
    size = (400, 200) if orientation < 5 else (200, 400)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }  # fmt: skip
    with Image.open(BytesIO(picture.content)) as image:
        assert image.size == size == (picture.width, picture.height)
        assert not image.getexif()
        assert image.info["icc_profile"] == PROFILE
        upright = drawing((400, 200))
        wanted = upright.transpose(turns[orientation]) if orientation > 1 else upright
        corners = [(5, 5), (size[0] - 5, 5), (5, size[1] - 5), (size[0] // 2, size[1] // 3)]
        for corner in corners:
            seen, meant = image.convert("RGB").getpixel(corner), wanted.getpixel(corner)
            assert all(abs(a - b) < 25 for a, b in zip(seen, meant, strict=True))


@pytest.mark.parametrize("cut", [0, 1, 5, 100])
@pytest.mark.parametrize("kind", PICTURES)
def test_file_that_was_cut_off_is_cleaned_or_refused(kind, cut):
    extension, sent = PICTURES[kind]
    with suppress(ValueError):
        assert SECRET not in without_metadata(sent[: len(sent) - cut], extension)


@pytest.mark.django_db
def test_public_picture_tells_nothing(client):
    sent = SimpleUploadedFile("photo.jpg", jpeg())
    image = ProductImage.objects.create(product=ProductFactory(), image=sent)
    assert SECRET not in client.get(image.image.url).getvalue()


@pytest.mark.django_db
def test_same_picture_is_known_again_by_what_was_sent(media_root):
    first, second = (
        ProductImage.objects.create(product=ProductFactory(), image=SimpleUploadedFile("a.jpg", jpeg()))
        for _ in range(2)
    )
    assert first.image.name == second.image.name
    assert len([path for path in media_root.rglob("*") if path.is_file()]) == 3


@pytest.mark.django_db
def test_pictures_from_before_are_cleaned_in_their_place(media_root):
    image = ProductImage.objects.create(product=ProductFactory(), image=SimpleUploadedFile("a.jpg", jpeg()))
    broken = ProductImage.objects.create(
        product=ProductFactory(), image=SimpleUploadedFile("b.png", saved(drawing(), "PNG"))
    )
    Path(image.image.path).write_bytes(jpeg())
    Path(broken.image.path).write_bytes(b"no picture")
    names = {path.name for path in media_root.rglob("*")}
    told, errors = StringIO(), StringIO()
    call_command("clean_pictures", stdout=told, stderr=errors)
    assert told.getvalue() == "Pictures cleaned=1\n"
    assert broken.image.name in errors.getvalue()
    assert Path(image.image.path).read_bytes() == clean(jpeg())
    assert {path.name for path in media_root.rglob("*")} == names
    call_command("clean_pictures", stdout=told, stderr=errors)
    assert told.getvalue().endswith("cleaned=0\n")


@pytest.mark.django_db
def test_pictures_in_a_store_without_paths_are_cleaned_too(media_root, monkeypatch):
    image = ProductImage.objects.create(product=ProductFactory(), image=SimpleUploadedFile("a.jpg", jpeg()))
    Path(image.image.path).write_bytes(jpeg())
    overwritten = {}

    def no_path(name):
        raise NotImplementedError

    monkeypatch.setattr(default_storage._wrapped, "path", no_path, raising=False)
    monkeypatch.setattr(
        default_storage._wrapped, "_open", lambda name, mode="rb": ContentFile(jpeg(), name), raising=False
    )
    monkeypatch.setattr(
        default_storage._wrapped,
        "_save",
        lambda name, content: overwritten.update({name: content.read()}) or name,
        raising=False,
    )
    call_command("clean_pictures", stdout=StringIO())
    assert overwritten == {image.image.name: clean(jpeg())}
