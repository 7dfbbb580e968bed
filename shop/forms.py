from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, password_validation
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordMixin
from django.contrib.auth.forms import PasswordResetForm as DjangoPasswordResetForm
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.utils.crypto import get_random_string

from shop.mail.outgoing import queue_mail, queue_some
from shop.models import Address, DeliveryMethod, OutgoingMail, User
from shop.values.countries import choices, name_of
from shop.values.email_addresses import AddressField
from shop.values.postal_formats import postal_format
from shop.web.fragments import LiveError, wants_fragment, wants_live_error


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, be it nothing at all; None where its page is asked for."""
    return request.POST if request.method == "POST" else None


def live_error(request: HttpRequest, form: forms.BaseForm) -> HttpResponse | None:
    """What one field of a form says to what was typed, as a fragment; None where the whole form is sent.

    A field written with `_live_field.html` asks for it when it is left. Nothing is ever saved then.
    """
    if not wants_live_error(request):
        return None
    field = next((field for field in form if field.html_name == request.POST["validate"]), None)
    if field is None:
        raise BadRequest("There is no such field.")
    context = {"field": field, "validate_url": request.path}
    return LiveError(render_to_string("_live_error.html", context, request))


class AddressForm(forms.ModelForm[Address]):
    """A postal address. Whose it is, the caller says: `AddressForm(data, instance=Address(user=user))`."""

    class Meta:
        model = Address
        fields = (*Address.POSTAL_FIELDS, "state")
        help_texts = {"name": "Who the parcel is for."}

    AUTOCOMPLETE = {
        "name": "name",
        "address1": "address-line1",
        "address2": "address-line2",
        "zip_code": "postal-code",
        "city": "address-level2",
        "state": "address-level1",
        "country": "country",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, token in self.AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = token
        own = {self.instance.country} if self.instance.pk else set()
        self.fields["country"].choices = choices(DeliveryMethod.objects.countries() | own)  # type: ignore[attr-defined]
        self.country = str(self["country"].value())
        self.format = postal_format(self.country)
        self.fields["zip_code"].label, self.fields["zip_code"].required = (
            self.format.postcode,
            self.format.needs_postcode,
        )
        self.fields["city"].label, self.fields["state"].label = self.format.town, self.format.division

    def town_fields(self) -> list[forms.BoundField]:
        """Town and postcode in the country's sequence; without a postcode where it has none and none is filled in."""
        town, postcode = self["city"], self["zip_code"]
        if not (self.format.has_postcode or postcode.value()):
            return [town]
        return [postcode, town] if self.format.postcode_first else [town, postcode]

    def shows_state(self) -> bool:
        return self.format.has_division or bool(self["state"].value())


def changed_country(request: HttpRequest, form: AddressForm) -> HttpResponse | None:
    """The fields of an address in the country that was just chosen, as a fragment; None where the form is sent.

    Nothing is saved, and nothing is called wrong yet.
    """
    if "country_chosen" not in request.POST or not wants_fragment(request):
        return None
    form.errors.clear()
    context = {"form": form, "validate_url": request.path, "country_chosen": name_of(form.country)}
    return LiveError(render_to_string("shop/_address_fields.html", context, request))


def email_field(**kwargs: Any) -> AddressField:
    # "username" tells password managers that this is what one logs in with.
    widget = forms.EmailInput(attrs={"autocomplete": "username", "inputmode": "email"})
    return AddressField(label="E-mail address", max_length=254, widget=widget, **kwargs)


class SignupForm(SetPasswordMixin, forms.Form):
    """A new account. Whether the address has one already is not for this form to say: its page is for everyone."""

    email = email_field()
    password1, password2 = SetPasswordMixin.create_password_fields(label1="Password", label2="Password again")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = password_validation.password_validators_help_text_html()
        self.fields["password2"].help_text = ""

    def clean(self) -> dict[str, Any]:
        self.validate_passwords()
        self.validate_password_for_user(User(email=self.cleaned_data.get("email", "")), "password1")
        return super().clean() or self.cleaned_data


class LoginForm(forms.Form):
    """Valid where e-mail address and password fit together; `user` is who logs in then."""

    email = email_field()
    password = forms.CharField(
        strip=False, max_length=4096, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.user: Any = None
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("email"), self.cleaned_data.get("password")
        if email and password:
            self.user = authenticate(self.request, email=email, password=password)
            if self.user is None:
                raise ValidationError(
                    "E-mail address and password do not fit together. Check both; upper and lower case matter in "
                    "a password."
                )
        return self.cleaned_data


class OwnPasswordForm(PasswordChangeForm):
    """A new password for who is logged in. Wrong old ones are counted as at a log-in (`shop.web.throttle`)."""

    required_css_class = "required"

    def __init__(self, user: User, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(user, *args, **kwargs)

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        # Whether it is right is told to who sends the whole form alone.
        if wants_live_error(self.request) or authenticate(self.request, email=self.user.email, password=old):
            return old
        raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")


class PasswordResetForm(DjangoPasswordResetForm):
    email = email_field()

    MAILS_AN_HOUR = 5

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        if settings.SITE_ADDRESS:
            protocol, _, domain = settings.SITE_ADDRESS.partition("://")
            context = {**context, "protocol": protocol, "domain": domain}
        occasion = f"password-reset-{context['user'].pk}"
        queue_some(self.MAILS_AN_HOUR, occasion, to_email, "password_reset", context, alone=True)


class ContactForm(forms.Form):
    name = forms.CharField(label="Your name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = AddressField(
        label="E-mail address, so that we can answer",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    message = forms.CharField(
        label="Message",
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 7}),
    )

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())

    def send(self) -> None:
        """Mail it to customer service, who can answer it to the sender."""
        sender = self.cleaned_data.get("email", "")
        queue_mail(
            f"contact-{get_random_string(22)}",
            settings.CUSTOMER_SERVICE_EMAIL,
            "contact",
            {**self.cleaned_data, "email": sender},
            reply_to=sender,
            alone=True,
            priority=OutgoingMail.CAN_WAIT,
        )
