"""The pictures of a shop that keeps them on its own disk; with a bucket, browsers fetch them there."""

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import condition, require_safe
from django.views.decorators.vary import vary_on_headers

from shop.models import ProductImage
from shop.values.picture_files import CONTENT_TYPES, webp_name

FOLDERS = (ProductImage.IMAGES, ProductImage.THUMBNAILS)
PICTURE_NAME = re.compile(r"\w[\w.-]*\.(jpg|png|gif|webp)", re.ASCII)


def stored_name(request: HttpRequest, folder: str, name: str) -> str:
    """What is sent for a picture: of a thumbnail its WebP, half as large, to a browser that asks for it by name."""
    webp = webp_name(f"{folder}/{name}")
    asked = "image/webp" in request.headers.get("Accept", "")
    if asked and folder == ProductImage.THUMBNAILS and default_storage.exists(webp):
        return webp
    return f"{folder}/{name}"


def etag_of(request: HttpRequest, folder: str, name: str) -> str:
    return f'"{stored_name(request, folder, name)}"' if PICTURE_NAME.fullmatch(name) else ""


@require_safe
@vary_on_headers("Accept")
@condition(etag_func=etag_of)
def media_picture(request: HttpRequest, folder: str, name: str) -> HttpResponseBase:
    """A picture or thumbnail. Its name follows from its content, so a browser may keep it for good."""
    if folder not in FOLDERS or not PICTURE_NAME.fullmatch(name):
        raise Http404
    stored = stored_name(request, folder, name)
    try:
        file = default_storage.open(stored)
    except FileNotFoundError as error:
        raise Http404 from error
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return FileResponse(file, content_type=CONTENT_TYPES[stored.rpartition(".")[2]], headers=headers)
