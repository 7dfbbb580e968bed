from typing import Any

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand

from shop.models import ProductImage
from shop.values.picture_files import clean, replace_stored


class Command(BaseCommand):
    help = (
        "Takes place, camera, names and remarks out of the pictures that were stored before this was done to each new "
        "one. The pictures stay as they are, and so do their addresses. May be run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        names = ProductImage.objects.order_by("image").values_list("image", flat=True).distinct()
        cleaned = 0
        for name in names.iterator():
            try:
                with default_storage.open(name) as file:
                    content = file.read()
                if (without := clean(content)) != content:
                    replace_stored(name, without)
                    cleaned += 1
            except Exception as error:  # as of whatever is read from storage, and by Pillow
                self.stderr.write(f"{name} could not be cleaned: {error}")
        self.stdout.write(f"Pictures cleaned={cleaned}")
