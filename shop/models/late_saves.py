"""Who read a row, and saves it late, does not undo what others decided meanwhile."""

from collections.abc import Iterable, Mapping
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
        self.note_read(kwargs.get("fields"))

    def note_read(self, names: Iterable[str] | None = None) -> None:
        """What they are now is what is stored; with `names`, what these are."""
        read = [name for name in self.BY_VERBS if name in self.__dict__ and (names is None or name in names)]
        self._read = {**(self._read if names is not None else {}), **{name: self.__dict__[name] for name in read}}

    def save(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is None and not self._state.adding and not args:
            same = {name for name, value in self._read.items() if getattr(self, name) == value}
            if same:
                loaded = {field.name for field in self._meta.concrete_fields if field.attname in self.__dict__}
                kwargs["update_fields"] = loaded - same - {self._meta.pk.name}
        super().save(*args, **kwargs)
        self.note_read()
