"""How many copies of a book are left, for those who count them: the ledger, and what forms and lists say of it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from shop.models import Product, StockMove
from staff.admin_sites import office_admin

COUNTED = "This book is counted: it is in stock while copies are left."


class FollowsCount(forms.ModelForm[Product]):
    """Whether a counted book is in stock is shown, and follows its count."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "in_stock" in self.fields and self.instance.stock is not None:
            self.fields["in_stock"].disabled = True
            self.fields["in_stock"].help_text = COUNTED


class CountForm(FollowsCount):
    """A book's form in which copies are counted, with a reason for the ledger."""

    copies = forms.IntegerField(
        label="Copies left",
        required=False,
        min_value=0,
        max_value=1_000_000,
        # A sale after the form was opened is no change of who sends it.
        show_hidden_initial=True,
        help_text="How many may still be sold: leave out those that wait for dispatch. Empty: nobody counts.",
    )
    count_reason = forms.CharField(label="Why the count changes", required=False, max_length=300)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["copies"].initial = self.instance.stock
        if self.instance.stock is not None:
            # Within the same office.
            address = f"../../../stockmove/?product__id__exact={self.instance.pk}"
            self.fields["count_reason"].help_text = format_html('<a href="{}">All changes of the count</a>', address)

    def clean(self) -> Any:
        cleaned = super().clean()
        shown = self.data.get(self.add_initial_prefix("copies"))
        if "copies" in self.changed_data and shown not in (
            None,
            "" if self.instance.stock is None else str(self.instance.stock),
        ):
            self.add_error("copies", f"Copies were sold or came meanwhile: {self.instance.stock} are left now.")
        counted_before = self.instance.stock is not None
        if counted_before and "copies" in self.changed_data and not self.cleaned_data.get("count_reason"):
            self.add_error("count_reason", "Say why the count changes, such as: stock take, damaged, delivery.")
        return cleaned

    def note_count(self, by: Any) -> None:
        """Keep the count that was entered, once the book is saved."""
        if "copies" in self.changed_data:
            self.instance.set_stock(
                self.cleaned_data["copies"], by=by, text=self.cleaned_data["count_reason"] or "Counted"
            )


class CopiesLeft(admin.SimpleListFilter):
    title = "copies left"
    parameter_name = "copies"
    CHOICES = (
        ("few", f"{Product.FEW} or fewer", {"stock__lte": Product.FEW}),
        ("none", "None", {"stock": 0}),
        ("counted", "Counted", {"stock__isnull": False}),
        ("uncounted", "Not counted", {"stock__isnull": True}),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label, _ in self.CHOICES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        found = {value: condition for value, _, condition in self.CHOICES}.get(self.value() or "")
        return queryset.filter(**found) if found else queryset


class StockMoveAdmin(admin.ModelAdmin[StockMove]):
    """The ledger, to be read; it is written by sales and counts alone."""

    list_display = ("moved_at", "product", "kind", "change", "order", "by", "text")
    list_display_links = None
    list_filter = ("kind",)
    list_per_page = 50
    list_select_related = ("product", "line", "by")
    search_fields = ("product__name",)
    search_help_text = "Title, author, series, publisher or ISBN."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockMove]:
        return super().get_queryset(request).defer("product__search_text", "product__description")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        found = Product.objects.search(search_term).order_by().values("pk")
        return queryset.filter(product__in=found), False

    @admin.display(description="copies")
    def change(self, move: StockMove) -> str:
        return f"{move.delta:+}"

    @admin.display(description="order")
    def order(self, move: StockMove) -> str:
        return str(move.line.order_id) if move.line else "–"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_employee", False))

    has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


for site in (admin.site, office_admin):
    site.register(StockMove, StockMoveAdmin)
