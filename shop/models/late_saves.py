"""Who read a row, and saves it late, does not undo what others decided meanwhile."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from django.db import models


class VerbsDecide(models.Model):
    """Saving a row whole leaves out those fields of `BY_VERBS` that nobody changed since it was read."""

    # What only verbs change, under the order's lock.
    BY_VERBS: ClassVar[tuple[str, ...]]
    _read: Mapping[str, Any] = MappingProxyType({})

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Any:
        found = super().from_db(*args, **kwargs)
        found.note_read()
        return found

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.note_read()

    def note_read(self) -> None:
        """What they are now is what is stored."""
        self._read = {name: self.__dict__[name] for name in self.BY_VERBS if name in self.__dict__}

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is None and not self._state.adding and not args:
            same = {name for name, value in self._read.items() if getattr(self, name) == value}
            if same:
                loaded = {field.name for field in self._meta.concrete_fields if field.attname in self.__dict__}
                kwargs["update_fields"] = loaded - same - {self._meta.pk.name}
        super().save(*args, **kwargs)
        self.note_read()
