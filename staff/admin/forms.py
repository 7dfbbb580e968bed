"""Form parts that several admin pages share."""

from types import SimpleNamespace
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model
from django.forms.widgets import Input
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.models import DeliveryMethod, User
from shop.values.countries import choices, is_known


class PlainText(forms.Widget):
    """Shows a value and offers no way to change it."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        return format_html('<span class="fixed-value">{}</span>', "" if value is None else value)


class Fixed(forms.Field):
    """A related object that a form shows and keeps, whatever is sent."""

    widget = PlainText

    def __init__(self, obj: Model, label: str) -> None:
        super().__init__(disabled=True, required=False, initial=obj, label=label)

    def clean(self, value: Any) -> Any:
        return value


class FixedOnceSaved(forms.ModelForm[Any]):
    """The `fixed` relations of a row can be chosen while it is new; after that the row is removed, not swapped.

    Showing them as text also spares a query for each row, which a chooser would need for its label.
    """

    fixed: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        for name in self.fixed:
            obj = getattr(self.instance, name)
            self.fields[name] = Fixed(obj, str(self.fields[name].label))
            self.initial[name] = obj

    def _get_validation_exclusions(self) -> set[str]:
        # What cannot change needs no look-up to see that it is still there.
        unchanged = {field.name for field in self._meta.model._meta.fields if field.is_relation}
        exclusions: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return exclusions | unchanged if self.instance.pk else exclusions


class LabelledFields:
    """A form set whose fields are named: "Status, line 2"."""

    row_name: str

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)  # type: ignore[misc]
        for field in form.fields.values():
            # Django wraps a chooser into another widget.
            widget = getattr(field.widget, "widget", field.widget)
            if not widget.is_hidden:
                widget.attrs["aria-label"] = f"{field.label}, {self.row_of(form, index)}"

    def row_of(self, form: Any, index: int | None) -> str:
        return f"new {self.row_name}" if index is None else f"{self.row_name} {index + 1}"


class LabelledRows(LabelledFields):
    """The same of rows that have names: "In stock, Emma"."""

    def row_of(self, form: Any, index: int | None) -> str:
        return str(form.instance)


class Labelled:
    """A table of rows in which each field has a name of its own: Django names the columns alone."""

    verbose_name: Any

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        return type(formset.__name__, (LabelledFields, formset), {"row_name": str(self.verbose_name)})


class LabelledList:
    """The same for a list that is edited in place."""

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        formset = super().get_changelist_formset(request, **kwargs)  # type: ignore[misc]
        return type(formset.__name__, (LabelledRows, formset), {})


def offer_countries(form: Any, *names: str) -> None:
    """These fields of a form offer the countries that addresses may be in, and the one that stands there already."""
    served = DeliveryMethod.objects.countries()
    for name in names:
        own = getattr(form.instance, name)
        form.fields[name].choices = choices(served | ({own} if own else set()))


class CountryFilter(admin.ChoicesFieldListFilter):
    """Of all the world's countries, those that addresses may be in, and the one that is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = {str(code) for code in self.lookup_val or ()}
        known = {code for code in asked if is_known(code)}
        self.field: Any = SimpleNamespace(flatchoices=choices(DeliveryMethod.objects.countries() | known))


class CustomerByEmail:
    """A model admin whose `user` is written as an e-mail address: nobody needs a list of all customers."""

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        if db_field.name != "user":
            return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        return EmailChoiceField(
            User.objects.all(),
            to_field_name="email",
            required=not db_field.blank,
            label="Customer",
            widget=forms.EmailInput,
            help_text="The customer's e-mail address.",
            error_messages={"invalid_choice": "There is no customer with this e-mail address."},
        )


class EmailChoiceField(forms.ModelChoiceField[User]):
    """A customer by e-mail address; a program may name them by key."""

    def to_python(self, value: Any) -> User | None:
        is_key = str(value).isdecimal() and len(str(value)) < 18
        return super().to_python(self.prepare_value(int(value)) if is_key else value)

    def prepare_value(self, value: Any) -> Any:
        """A form starts with the customer's key."""
        if isinstance(value, int):
            return User.objects.filter(pk=value).values_list("email", flat=True).first()
        return super().prepare_value(value)


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True
    template_name = Input.template_name


class PicturesField(forms.FileField):
    """Any number of pictures in one field; cleans to a list, and names the file that is not right."""

    widget = ManyFilesInput

    def __init__(self, picture: forms.Field, **kwargs: Any) -> None:
        """`picture` is the field that each single file has to pass."""
        super().__init__(required=False, **kwargs)
        self.picture = picture

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files: list[UploadedFile] = data if isinstance(data, list) else [data] if data else []
        return [self.clean_picture(file) for file in files if file]

    def clean_picture(self, file: UploadedFile) -> UploadedFile:
        try:
            cleaned: UploadedFile = self.picture.clean(file)
        except forms.ValidationError as error:
            raise forms.ValidationError([f"{file.name}: {message}" for message in error.messages]) from error
        return cleaned
