from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage
from django.db import models, transaction

from shop.models.product import Product
from shop.values.picture_files import Picture, PictureField, PicturesUnavailable, all_or_none, read_picture, webp_name


class ProductImageQuerySet(models.QuerySet["ProductImage"]):
    def with_content(self, digest: str) -> "ProductImageQuerySet":
        """Those whose picture has this content (`shop.values.picture_files.digest_of`)."""
        return self.filter(image__startswith=f"{ProductImage.IMAGES}/{digest}")


class ProductImage(models.Model):
    """A picture of a product.

    The file is named after its content, and products with the same picture share it.
    """

    IMAGES, THUMBNAILS = "products", "thumbnails"
    # What follows from the picture and is kept beside it.
    STORED = ("image", "thumbnail", "width", "height", "thumbnail_width", "thumbnail_height")

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    image = PictureField(upload_to=IMAGES, db_index=True)
    thumbnail = models.ImageField(upload_to=THUMBNAILS, editable=False)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    thumbnail_width = models.PositiveIntegerField(default=0, editable=False)
    thumbnail_height = models.PositiveIntegerField(default=0, editable=False)
    position = models.PositiveSmallIntegerField(default=0)

    objects = ProductImageQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.image.name or ""

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValidationError for a new picture that `shop.values.picture_files.read_picture` does not take, and
        PicturesUnavailable where it cannot be stored."""
        before = ProductImage.objects.filter(pk=self.pk).first() if self.pk else None
        if self.image and not (self.image._committed and self.thumbnail):  # type: ignore[attr-defined]
            try:
                self.show(read_picture(self.image.file))
            except OSError as error:
                raise PicturesUnavailable(str(error)) from error
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], *self.STORED}
        super().save(*args, **kwargs)
        if before is not None and before.image.name != self.image.name:
            before.discard_files()

    def show(self, picture: Picture) -> bool:
        """Set this to `picture`; whether its files had to be stored, because no product has the same one.

        Needs a transaction.
        """
        if self.share(picture.digest):
            return False
        with all_or_none() as store:
            self.image = store(f"{self.IMAGES}/{picture.file_name}", picture.content)
            self.thumbnail = store(f"{self.THUMBNAILS}/{Path(self.image.name or '').stem}.jpg", picture.thumbnail)
            store(webp_name(self.thumbnail.name or ""), picture.thumbnail_webp)
        self.width, self.height = picture.width, picture.height
        self.thumbnail_width, self.thumbnail_height = picture.thumbnail_width, picture.thumbnail_height
        return True

    def share(self, digest: str) -> bool:
        """Set this to the stored picture with that content, if there is one; needs a transaction."""
        # Locked, so that nobody takes the last use of these files away before ours is known.
        twin = ProductImage.objects.with_content(digest).select_for_update().first()
        if twin is None or not default_storage.exists(twin.image.name or ""):
            return False
        for name in self.STORED:
            setattr(self, name, getattr(twin, name))
        return True

    def file_names(self) -> list[str]:
        """All that is stored for it."""
        thumbnail = self.thumbnail.name or ""
        return [name for name in (self.image.name, thumbnail, thumbnail and webp_name(thumbnail)) if name]

    def discard_files(self) -> None:
        """Delete the files after the transaction, unless another product shows the same picture by then."""
        image, names = self.image.name, self.file_names()

        def discard() -> None:
            if not ProductImage.objects.filter(image=image).exists():
                for name in names:
                    default_storage.delete(name)

        transaction.on_commit(discard, robust=True)
