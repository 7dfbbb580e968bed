from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.utils.timezone import localtime

from shop.models import Address, Basket, BasketLine, User
from shop.models.basket_line import BasketLines
from shop.people.email_confirmation import mail_confirm_link
from staff.admin.forms import CountryFilter, CustomerByEmail, FixedOnceSaved, Labelled, offer_countries
from staff.admin.searching import by_email, find_people, found_in, named
from staff.admin_sites import office_admin


class PersonChangeForm(UserChangeForm[User]):
    """A person. Rights are given only where it is known that the address, and so the account, is theirs."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}

    @property
    def is_other_address(self) -> bool:
        return self.cleaned_data.get("email", self.initial.get("email")) != self.initial.get("email")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.gives_rights(given) and (self.instance.email_proved_at is None or self.is_other_address):
            raise ValidationError(
                "Nobody has confirmed yet that this e-mail address is theirs, so the account can be given no rights. "
                "Ask its owner to follow the link in the mail they got; “Send the link again” mails it once more. "
                "A new address is saved first."
            )
        return given

    def gives_rights(self, given: dict[str, Any]) -> bool:
        """Whether somebody may more than before; what they may already, they keep."""
        person = self.instance
        flags = any(given.get(flag) and not self.initial.get(flag) for flag in ("is_staff", "is_superuser"))
        kinds = ("groups", "user_permissions")
        return flags or any(set(given.get(kind) or ()) - set(getattr(person, kind).all()) for kind in kinds)

    def save(self, commit: bool = True) -> Any:
        if self.is_other_address:
            self.instance.email_proved_at = None
        return super().save(commit)


class PersonCreationForm(BaseUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email",)
        field_classes: dict[str, Any] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    form = PersonChangeForm
    add_form = PersonCreationForm
    list_display = ("email", "first_name", "last_name", "is_staff", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_help_text = "A name, or the beginning of an e-mail address."
    search_fields = ("email",)
    ordering = ("-pk",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_form_template = "staff/admin_user.html"
    fieldsets = (
        (None, {"fields": ("email", "confirmed", "password")}),
        ("Name", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)
    readonly_fields = ("confirmed", "last_login", "date_joined")

    @admin.display(description="address confirmed")
    def confirmed(self, person: User) -> str:
        when = person.email_proved_at
        return date_format(localtime(when), "DATETIME_FORMAT") if when else "Not yet"

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who got another address is mailed the link by which they confirm it."""
        super().save_model(request, obj, form, change)
        if change and form.is_other_address:
            self.mail_link(request, obj)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        person = self.get_object(request, object_id) if "_send_link" in request.POST else None
        if person is None or not self.has_change_permission(request, person):
            return super().change_view(request, object_id, *args, **kwargs)
        self.mail_link(request, person)
        return redirect(request.path)

    def mail_link(self, request: HttpRequest, person: User) -> None:
        if mail_confirm_link(request, person):
            self.message_user(request, f"The link to confirm the address was mailed to {person.email}.")
        else:
            self.message_user(request, "The link was mailed several times within this hour already.", messages.WARNING)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (find_people(queryset, search_term), False) if search_term.strip() else (queryset, False)


class AddressOfficeForm(forms.ModelForm[Address]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "country" in self.fields:
            offer_countries(self, "country")


class AddressAdmin(CustomerByEmail, admin.ModelAdmin[Address]):
    form = AddressOfficeForm
    list_display = ("name", "email", "address1", "city", "zip_code", "country")
    list_filter = (("country", CountryFilter),)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("name",)
    search_help_text = "A name, or the beginning of the customer's e-mail address."
    fields = ("user", "name", "address1", "address2", ("zip_code", "city", "state"), "country")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("email",) if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("email", *self.fields[1:]) if obj else self.fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Address]:
        return super().get_queryset(request).select_related("user")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        by_customer = Address.objects.order_by().filter(user__in=by_email(search_term).values("pk"))
        return found_in(queryset, [*named(Address, search_term, "name"), by_customer]), False

    @admin.display(description="customer")
    def email(self, address: Address) -> str:
        return address.user.email


class BasketLineForm(FixedOnceSaved):
    fixed = ("product",)


class BasketLineFormSet(BaseInlineFormSet[BasketLine, Basket, Any]):
    def clean(self) -> None:
        """No more than a shopper may put in either."""
        super().clean()
        kept = [form for form in self.forms if form not in self.deleted_forms and form.is_valid()]
        lines = BasketLines(form.instance for form in kept if form.instance.pk or form.has_changed())
        if too_much := lines.too_much():
            raise ValidationError(too_much, code="too_much")


class BasketLineInline(Labelled, admin.TabularInline[BasketLine, Basket]):
    model = BasketLine
    form = BasketLineForm
    formset = BasketLineFormSet
    fields = ("product", "quantity")
    autocomplete_fields = ("product",)
    extra = 0
    verbose_name = "book"
    verbose_name_plural = "books"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BasketLine]:
        return super().get_queryset(request).select_related("product")


@admin.register(Basket)
class BasketAdmin(CustomerByEmail, admin.ModelAdmin[Basket]):
    list_display = ("id", "email", "status", "date_added")
    list_filter = ("status",)
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("user__email__startswith",)
    search_help_text = "The beginning of an e-mail address."
    fields = ("user", "status", "date_added")
    readonly_fields = ("date_added",)
    ordering = ("-pk",)
    inlines = (BasketLineInline,)

    @admin.display(description="customer")
    def email(self, basket: Basket) -> str:
        return basket.user.email if basket.user else "a visitor"


for site in (admin.site, office_admin):
    site.register(Address, AddressAdmin)
