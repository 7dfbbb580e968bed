from django.db import models


class CatalogueChange(models.Model):
    """The mark of the last change of the catalogue, which triggers write (`shop.database.catalogue_triggers`).

    There may be several where transactions changed the catalogue at the same time.
    """

    mark = models.UUIDField()

    def __str__(self) -> str:
        return str(self.mark)
