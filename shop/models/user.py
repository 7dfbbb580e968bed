from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from shop.database.country_field import CountryField
from shop.values.countries import HOME
from shop.values.email_addresses import AddressField, canonical, validate_address
from shop.values.postal_formats import postal_format


class LowercaseEmailField(models.EmailField):
    """An e-mail address kept, and looked up, in its one spelling: without regard to case (`values.email_addresses`)."""

    default_validators = [validate_address]

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return canonical(value) if isinstance(value, str) else value

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": AddressField, **kwargs})

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A saved user who logs in with `email` and `password`; without a password nobody can log in.

        Raises ValueError without an e-mail address.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A saved owner: staff with every permission."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractUser):
    EMPLOYEES = "Employees"
    DISPATCHERS = "Dispatchers"

    username = None  # type: ignore[assignment]  # the e-mail address is the login
    email = LowercaseEmailField("e-mail address", unique=True)
    # Since when it is known that the address is of who uses the account. Whom we add ourselves we believe; but anybody
    # may sign up with another's address, so there it is empty until they follow a link that was mailed to it.
    email_proved_at = models.DateTimeField(
        "e-mail address confirmed", default=timezone.now, null=True, blank=True, editable=False
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def prove_email(self) -> None:
        """Note that the address is this person's: they followed a link that was mailed there."""
        if self.email_proved_at is None:
            self.email_proved_at = timezone.now()
            self.save(update_fields=["email_proved_at"])

    @cached_property
    def _group_names(self) -> set[str]:
        return {group.name for group in self.groups.all()}

    def _works_as(self, group: str) -> bool:
        return self.is_active and (self.is_superuser or (self.is_staff and group in self._group_names))

    @property
    def is_employee(self) -> bool:
        """Whether this person runs the central office."""
        return self._works_as(self.EMPLOYEES)

    @property
    def is_dispatcher(self) -> bool:
        """Whether this person sends out paid orders."""
        return self._works_as(self.DISPATCHERS)


class AddressQuerySet(models.QuerySet["Address"]):
    def visible_to(self, user: Any) -> "AddressQuerySet":
        """A person's own addresses; a visitor has none."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def newest_country(self) -> str:
        """Where the newest of them is; at home where there is none."""
        return self.values_list("country", flat=True).first() or HOME


class Address(models.Model):
    # What an order copies from an address, as text of that moment.
    POSTAL_FIELDS = ("name", "address1", "address2", "zip_code", "city", "country")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField("full name", max_length=60)
    address1 = models.CharField("address line 1", max_length=60)
    address2 = models.CharField("address line 2", max_length=60, blank=True)
    # Not every country has postcodes, and few need a state: see `shop.values.postal_formats`.
    zip_code = models.CharField("postcode / ZIP", max_length=12, blank=True)
    city = models.CharField("town or city", max_length=60)
    state = models.CharField("state or region", max_length=40, blank=True, default="", db_default="")
    country = CountryField(default=HOME)

    objects = AddressQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return ", ".join(line for line in (self.name, *self.lines()) if line)

    def lines(self) -> list[str]:
        """The address below the name, as it stands on a parcel."""
        town = postal_format(self.country).lines(self.city, self.state, self.zip_code)
        return [line for line in (self.address1, self.address2, *town, self.get_country_display()) if line]

    def town_and_state(self) -> str:
        """Both as one text, as an order keeps them: "Springfield, IL"."""
        return postal_format(self.country).town_and_state(self.city, self.state)
