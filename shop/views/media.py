"""The pictures of a shop that keeps them on its own disk; with a bucket, browsers fetch them there."""

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import condition, require_safe

from shop.models import ProductImage
from shop.pictures import CONTENT_TYPES

FOLDERS = (ProductImage.IMAGES, ProductImage.THUMBNAILS)
PICTURE_NAME = re.compile(r"\w[\w.-]*\.(jpg|png|gif|webp)", re.ASCII)


def etag_of(request: HttpRequest, folder: str, name: str) -> str:
    return f'"{name}"'


@require_safe
@condition(etag_func=etag_of)
def media_picture(request: HttpRequest, folder: str, name: str) -> HttpResponseBase:
    """A picture or thumbnail. Its name follows from its content, so a browser may keep it for good."""
    match = PICTURE_NAME.fullmatch(name)
    if folder not in FOLDERS or match is None:
        raise Http404
    try:
        file = default_storage.open(f"{folder}/{name}")
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return FileResponse(file, content_type=CONTENT_TYPES[match[1]], headers=headers)
