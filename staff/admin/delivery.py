"""How books are delivered and what that costs: the owners' and the central office's."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import FilteredSelectMultiple
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.models import DeliveryBand, DeliveryMethod
from shop.values.countries import canonical, choices, name_of
from shop.values.money import money
from staff.admin.forms import Labelled
from staff.admin_sites import office_admin

# Of more countries the list names so many.
FEW = 6


class CountriesChooser(FilteredSelectMultiple):
    """Two lists, or one without JavaScript, in a box of their own: else the script puts them before their label."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html("<div>{}</div>", super().render(*args, **kwargs))


class DeliveryMethodForm(forms.ModelForm[DeliveryMethod]):
    countries = forms.MultipleChoiceField(
        choices=choices,
        required=False,
        widget=CountriesChooser("countries", is_stacked=False),
        help_text="Where it delivers to. Choose none for everywhere. Shoppers may have addresses in every country that "
        "an active method names, in the United Kingdom and the United States.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # However they were written.
        self.initial["countries"] = [canonical(code) for code in self.initial.get("countries") or []]

    def clean_countries(self) -> list[str]:
        return sorted(self.cleaned_data["countries"])


class DeliveryBandInline(Labelled, admin.TabularInline[DeliveryBand, DeliveryMethod]):
    model = DeliveryBand
    extra = 2
    verbose_name = "weight band"
    verbose_name_plural = "weight bands, for baskets in which every book has a weight; others cost the price above"


@admin.register(DeliveryMethod, site=admin.site)
@admin.register(DeliveryMethod, site=office_admin)
class DeliveryMethodAdmin(admin.ModelAdmin[DeliveryMethod]):
    form = DeliveryMethodForm
    inlines = (DeliveryBandInline,)
    list_display = ("name", "costs", "free", "where", "days", "active")
    list_filter = ("active",)
    fieldsets = ((None, {"fields": ("name", "active", ("price", "free_from"), ("days_from", "days_to"), "countries")}),)

    @admin.display(description="price", ordering="price")
    def costs(self, method: DeliveryMethod) -> str:
        return money(method.price)

    @admin.display(description="free from", ordering="free_from")
    def free(self, method: DeliveryMethod) -> str:
        return "–" if method.free_from is None else money(method.free_from)

    @admin.display(description="countries")
    def where(self, method: DeliveryMethod) -> str:
        names = [name_of(code) for code in method.countries]
        more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
        return f"{', '.join(names[:FEW])}{more}" or "Everywhere"
