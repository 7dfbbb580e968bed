"""The lines in an order's form, which may be many: a page of them at a time, saved together."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone

from shop.models import Basket, Order, OrderLine, Parcel, StockMove
from staff.admin.forms import Labelled
from staff.admin.order_forms import OrderLineForm
from staff.admin.plain_widgets import PLAIN_WIDGETS

# What an order holds; those from before that limit are shown by so many lines.
LINES_A_PAGE = Basket.MOST_BOOKS
PAGE = "lines"
PARCEL = Parcel.LABEL


class Known(forms.Field):
    """The key of a row that the form set has read already: Django's own field would look for each in the database."""

    widget = forms.HiddenInput

    def __init__(self, row: OrderLine) -> None:
        super().__init__(required=False, initial=row.pk)
        self.row = row

    def clean(self, value: Any) -> OrderLine | None:
        if value and str(value) != str(self.row.pk):
            raise ValidationError("This line is not there any more.", code="invalid_choice")
        return self.row if value else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class OrderLineFormSet(BaseInlineFormSet[OrderLine, Order, Any]):
    """The lines on the `page` of an order that stands in the address."""

    page: Page | None = None
    default_error_messages = {"too_many_forms": f"An order holds at most {LINES_A_PAGE} books."}

    def get_queryset(self) -> Any:
        return self.page.object_list if self.page else super().get_queryset()

    def add_fields(self, form: Any, index: Any) -> None:
        super().add_fields(form, index)
        form.fields["id"] = Known(form.instance)

    def clean(self) -> None:
        super().clean()
        # The field of the key, which is hidden, cannot say so itself.
        if any("id" in form.errors for form in self.forms):
            raise ValidationError("Somebody removed a line meanwhile. Open the order anew.", code="removed")
        if any(form.instance.is_settled for form in self.deleted_forms):
            raise ValidationError("What was refunded or sent back stays in the order.", code="settled")
        wanted = Counter(form.cleaned_data.get("product") for form in self.extra_forms if form.has_changed())
        if short := [book for book, copies in wanted.items() if book and book.is_short_of(copies)]:
            raise ValidationError([book.what_is_left(wanted[book]) for book in short], code="short")


def page_of_lines(request: HttpRequest, order: Order | None, lines: Any) -> Page | None:
    """Those of an order's `lines` that its form shows."""
    if order is None or order.pk is None:
        return None
    lines = lines.filter(order=order).select_related("product").order_by("pk")
    return Paginator(lines, LINES_A_PAGE).get_page(request.GET.get(PAGE))


class OrderLineInline(Labelled, admin.TabularInline[OrderLine, Order]):
    model = OrderLine
    form = OrderLineForm
    formset = OrderLineFormSet
    extra = 0
    max_num = LINES_A_PAGE
    fields = ("product", "price", "status", *PARCEL)
    autocomplete_fields = ("product",)
    verbose_name = "line"
    verbose_name_plural = "lines"
    shown = OrderLine.objects.all()

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        # Where none may be added, Django sets their most to 0.
        may_add = bool(self.max_num)
        formset: Any = super().get_formset(request, obj, renderer=PLAIN_WIDGETS, validate_max=may_add, **kwargs)
        formset.page = page_of_lines(request, obj, self.shown)
        return formset

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is done or cancelled has no open lines."""
        is_over = obj is not None and (obj.is_cancelled or obj.status == Order.DONE)
        return not is_over and super().has_add_permission(request, obj)


class DispatchLineInline(OrderLineInline):
    fields = ("product", "status", *PARCEL)  # type: ignore[assignment]
    can_delete = False
    shown = OrderLine.objects.not_waiting()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def save_lines(formset: Any, request: HttpRequest) -> None:
    """What was changed, by the model's verbs, and together: an order of hundreds of lines is saved as fast as one.

    What somebody else did meanwhile may stand against it; the person is told.
    """
    order: Order = formset.instance
    formset.save(commit=False)
    if changed := [*formset.deleted_objects, *(line for line, _ in formset.changed_objects), *formset.new_objects]:
        order.lock()
        StockMove.objects.locked({line.product_id for line in changed})
    if formset.deleted_objects:
        order.lines.filter(pk__in=[line.pk for line in formset.deleted_objects]).delete()
    tracked, marked = [], {}
    for line, changed in formset.changed_objects:
        if set(PARCEL) & set(changed):
            line.date_updated = timezone.now()
            tracked.append(line)
        if "status" in changed:
            marked[line.pk] = line.status
    if tracked:
        order.lock()
        OrderLine.objects.bulk_update(tracked, [*PARCEL, "date_updated"], batch_size=100)
        order.lines.filter(pk__in=[line.pk for line in tracked]).relabel_parcels()
    for reason, lines in order.mark_lines(marked).refused.items() if marked else ():
        messages.error(request, reason if len(lines) == 1 else f"{len(lines)} lines: {reason}")
    for line in formset.new_objects:
        try:
            line.save()
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
    # A new line does not complete an order: others may follow. Here they are all there.
    order.complete_if_closed()
    order.refresh_from_db(fields=["status"])
