from functools import partialmethod
from typing import Any

from django.db import models

from shop.values import countries


def _display(row: models.Model, field: "CountryField") -> str:
    return countries.name_of(getattr(row, field.attname))


class CountryField(models.CharField):
    """A country's code in its one spelling: any that exists. Forms offer those of addresses.

    The codes are no part of the migrations, as the world's countries change more often than a table should.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": 2, "choices": countries.choices, **kwargs})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("choices", None)
        return name, "django.db.models.CharField", args, kwargs

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        # Django's own would put all the names together for each row.
        setattr(cls, f"get_{name}_display", partialmethod(_display, field=self))
        super().contribute_to_class(cls, name, private_only)

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return countries.canonical(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Whoever goes on with the row reads the one spelling."""
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return countries.canonical(value) if isinstance(value, str) else value
