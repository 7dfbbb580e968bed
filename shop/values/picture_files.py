"""Pictures that people send us: what we take, how it is read safely, and the small one made of it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import models
from django.template.defaultfilters import filesizeformat
from PIL import Image, ImageOps, UnidentifiedImageError

from shop.values.picture_metadata import without_metadata

# What Pillow calls a format -> the file name's ending. Pillow knows many more; its readers of those are less travelled.
EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
THUMBNAIL_SIZE = (300, 300)
EXIF_ORIENTATION = 0x0112
LYING_ON_ITS_SIDE = (5, 6, 7, 8)


class PicturesUnavailable(OSError):
    """Where pictures are kept, nothing can be read or stored now."""


@dataclass(frozen=True)
class Picture:
    """A picture that was read to its end: its bytes without metadata, what they are, and its thumbnails.

    `digest` is of the file as it was sent, by which the same one is known again without looking into it.
    """

    content: bytes
    digest: str
    extension: str
    width: int
    height: int
    thumbnail: bytes
    thumbnail_webp: bytes
    thumbnail_width: int
    thumbnail_height: int

    @property
    def file_name(self) -> str:
        """Made of the content alone: what the sender calls the file is not to be trusted."""
        return f"{self.digest}.{self.extension}"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:40]


def read_picture(file: IO[bytes] | File) -> Picture:
    """The picture in `file`, upright and without what its file tells of place, time, camera and people.

    Raises ValidationError, with a sentence for a person, for what is too large, broken, or no JPEG, PNG, GIF or WebP.
    """
    content = read_content(file)
    image = _open(content)
    width, height = image.size
    extension = EXTENSIONS[image.format or ""]
    try:
        if image.getexif().get(EXIF_ORIENTATION) in LYING_ON_ITS_SIDE:
            width, height = height, width
        cleaned = clean(content)
        small = _thumbnail(image)
        jpeg, webp = BytesIO(), BytesIO()
        small.save(jpeg, "JPEG", quality=82, optimize=True, progressive=True)
        # Half as large; the shop hands it to browsers that take it (`shop.views.media`).
        small.save(webp, "WEBP", quality=78, method=4)
    except Exception as error:  # Pillow's readers raise what they like over broken data
        raise ValidationError("This picture is broken: it cannot be read to its end.", code="broken") from error
    thumbnails = (jpeg.getvalue(), webp.getvalue())
    return Picture(cleaned, digest_of(content), extension, width, height, *thumbnails, *small.size)


def clean(content: bytes) -> bytes:
    """The picture without metadata, byte for byte the same where it need not be turned; raises what Pillow raises."""
    image = _open(content)
    extension = EXTENSIONS[image.format or ""]
    if image.getexif().get(EXIF_ORIENTATION, 1) == 1:
        with suppress(ValueError):
            cleaned = without_metadata(content, extension)
            with _open(cleaned) as same:
                if same.size == image.size and same.mode == image.mode:
                    return cleaned
    return without_metadata(_drawn_anew(content), extension)


def _drawn_anew(content: bytes) -> bytes:
    """The picture, upright, in a file that Pillow wrote: hardly worse, but not the same."""
    image = _open(content)
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile")}
    if image.format in ("JPEG", "MPO"):
        options |= {"format": "JPEG", "quality": 95, "subsampling": 0}
    elif image.format == "WEBP":
        options |= {"format": "WEBP", "lossless": b"VP8L" in content[:100], "quality": 95}
    else:
        options |= {"format": image.format}
    output = BytesIO()
    ImageOps.exif_transpose(image).save(output, **options)
    return output.getvalue()


def replace_stored(name: str, content: bytes) -> None:
    """Put `content` into the place of a stored file, at once: whoever reads it meanwhile reads one or the other."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # a bucket, which does that by itself
        default_storage._save(name, ContentFile(content))  # type: ignore[attr-defined]
        return
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.chmod(path.stat().st_mode)
    new.replace(path)


@contextmanager
def all_or_none() -> Iterator[Callable[[str, bytes], str]]:
    """Gives a function that stores a file and returns its name; should one fail, those before it are deleted."""
    stored: list[str] = []

    def store(name: str, content: bytes) -> str:
        stored.append(default_storage.save(name, ContentFile(content)))
        return stored[-1]

    try:
        yield store
    except OSError:
        for name in stored:
            with suppress(OSError):
                default_storage.delete(name)
        raise


def webp_name(thumbnail: str) -> str:
    """Where the WebP of a thumbnail lies: beside it."""
    return f"{thumbnail.removesuffix('.jpg')}.webp"


def read_content(file: IO[bytes] | File) -> bytes:
    """All of `file`. Raises ValidationError for one that is larger than a picture may be."""
    file.seek(0)
    content = file.read(settings.PICTURE_MAX_BYTES + 1)
    file.seek(0)
    if len(content) > settings.PICTURE_MAX_BYTES:
        limit = filesizeformat(settings.PICTURE_MAX_BYTES)
        raise ValidationError(f"This file is too large: a picture may have {limit} at most.", code="too_large")
    return content


def _open(content: bytes) -> Image.Image:
    """The picture with its header read and nothing decoded yet."""
    too_many = ValidationError(
        f"This picture is too large: it may have {settings.PICTURE_MAX_PIXELS / 1_000_000:g} million pixels at most.",
        code="too_many_pixels",
    )
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ValidationError(
            "This is not a picture that can be used: send a JPEG, PNG, GIF or WebP file.", code="not_a_picture"
        ) from error
    if image.width * image.height > settings.PICTURE_MAX_PIXELS:
        raise too_many
    return image


def _thumbnail(image: Image.Image) -> Image.Image:
    """`image` at most 300 x 300 large, upright, RGB, on white where one could see through it."""
    if image.mode.startswith("I"):
        # 16 bits of grey: convert() would cut them off instead of scaling them.
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    # Asks a JPEG's decoder for a smaller picture, which is why the size comes before everything else.
    image.thumbnail(THUMBNAIL_SIZE, Image.Resampling.LANCZOS)
    image = ImageOps.exif_transpose(image)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


class PictureFormField(forms.ImageField):
    """An upload that `read_picture` takes; anything else is this field's error."""

    widget = forms.ClearableFileInput(attrs={"accept": ",".join(CONTENT_TYPES.values())})

    def to_python(self, data: Any) -> Any:
        file = forms.FileField.to_python(self, data)
        if file is not None:
            read_picture(file)
        return file


class PictureField(models.ImageField):
    """A stored picture; forms check what is sent for it."""

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": PictureFormField, **kwargs})
