"""Static files, pictures, and how large what is sent may be."""

import re
from typing import Any

from whitenoise.compress import Compressor

from booktime import environment
from booktime.settings.site import BASE_DIR, IS_DEMO, VAR_DIR

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
if IS_DEMO:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
# The demo serves static files from where they stand, so that it needs no collectstatic.
WHITENOISE_USE_FINDERS = IS_DEMO
# Source maps, which only a developer's browser asks for, take longer to compress than all else together.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
WHITENOISE_MAX_AGE = 0 if IS_DEMO else 60
_bucket = environment.bucket()
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "booktime.resilience.s3_storage.Bucket",
        "OPTIONS": {
            "bucket_name": _bucket["AWS_STORAGE_BUCKET_NAME"],
            "access_key": _bucket["AWS_ACCESS_KEY_ID"],
            "secret_key": _bucket["AWS_SECRET_ACCESS_KEY"],
            "endpoint_url": _bucket["AWS_S3_ENDPOINT_URL"] or None,
            "file_overwrite": False,
            "querystring_auth": False,
            # A picture's name follows from its content.
            "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
        },
    }
    if _bucket
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if IS_DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# How large the body of a request may be; where staff send pictures, several of them fit in.
REQUEST_MAX_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
UPLOAD_MAX_BYTES = 100_000_000
UPLOAD_PATHS = re.compile(r"/(admin|office-admin)/shop/(product|productimage)/(add|[^/]+/change)/")
# How much of bodies that did not arrive whole yet a process holds, and of those from one address.
UNFINISHED_MAX_BYTES = 500_000_000
UNFINISHED_MAX_BYTES_OF_AN_ADDRESS = 50_000_000
# How many fields a form may have: an order of 500 lines has up to nine of each line in the back offices.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
PICTURE_MAX_BYTES = 10_000_000
PICTURE_MAX_PIXELS = 40_000_000
