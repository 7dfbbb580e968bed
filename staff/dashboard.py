"""The office's live view of orders: filtered, sorted and paged in place."""

from collections.abc import Callable, Iterator
from datetime import UTC
from decimal import Decimal
from functools import wraps
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from shop.models import Order, OrderLine, User
from shop.rendering import render_page, wants_fragment
from shop.shelf import nearest
from staff.downloads import csv_response

PER_PAGE = 25
NUMBER = {"th": {"class": "num"}, "td": {"class": "num"}}
MOMENT = {"td": {"class": "nowrap"}}


def employees_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Visitors are led to the log-in; shoppers and dispatchers are refused."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (isinstance(request.user, User) and request.user.is_employee):
            raise PermissionDenied("The order dashboard is for employees.")
        return view(request, *args, **kwargs)

    return login_required(guarded)


class MomentField(forms.DateTimeField):
    """A day or a moment in UTC; what the calendar holds no longer there is an error, not a fault of the query."""

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class DayFilter(django_filters.DateTimeFilter):
    field_class = MomentField


def day_filter(field: str, lookup: str, label: str) -> DayFilter:
    return DayFilter(field, lookup, label=label, widget=forms.DateInput(attrs={"type": "date"}))


class OrderFilter(django_filters.FilterSet):
    user__email__icontains = django_filters.CharFilter(
        "user__email", "icontains", label="E-mail contains", widget=forms.TextInput(attrs={"type": "search"})
    )
    status = django_filters.ChoiceFilter(choices=Order.Status.choices, label="Status", empty_label="Any")
    date_added__gt = day_filter("date_added", "gt", "Placed since")
    date_added__lt = day_filter("date_added", "lt", "Placed before")
    date_updated__gt = day_filter("date_updated", "gt", "Changed since")
    date_updated__lt = day_filter("date_updated", "lt", "Changed before")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()


class OrderTable(tables.Table):
    pk = tables.Column("Order", linkify=lambda record: order_link(record))
    user__email = tables.Column("Customer")
    status = tables.Column()
    books = tables.Column(empty_values=(), orderable=False, attrs=NUMBER)
    total = tables.Column(accessor="total_price", orderable=False, attrs=NUMBER)
    date_added = tables.DateTimeColumn(verbose_name="Placed", format="j M Y, H:i", attrs=MOMENT)
    date_updated = tables.DateTimeColumn(verbose_name="Changed", format="j M Y, H:i", attrs=MOMENT)

    class Meta:
        model = Order
        fields = ("pk", "user__email", "status", "books", "total", "date_added", "date_updated")
        order_by = ("-pk",)

    def render_status(self, record: Order) -> str:
        label = record.get_status_display()
        if record.is_cancelled:
            return format_html('<span class="badge badge--cancelled">{}</span>', "Cancelled")
        return format_html('<span class="badge badge--{}">{}</span>', label.lower(), label)

    def render_books(self, record: Order) -> int:
        return len(record.lines.all())

    def render_total(self, value: Decimal) -> str:
        return f"£{value:,.2f}"


def order_link(order: Order) -> str:
    return reverse("office_admin:shop_order_change", args=[order.pk])


def figures(orders: Any) -> dict[str, Any]:
    """The numbers above the table, of the orders that the filter leaves."""
    orders = orders.order_by()
    lines = OrderLine.objects.exclude(status=OrderLine.CANCELLED).filter(order__in=orders)
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    counts = orders.aggregate(
        new=Count("pk", filter=Q(status=Order.NEW, date_cancelled=None)),
        paid=Count("pk", filter=Q(status__in=(Order.PAID, Order.DONE))),
        waiting=Count("pk", filter=Q(status=Order.PAID)),
    )
    revenue = lines.filter(order__date_added__gte=midnight).aggregate(sum=Sum("price", default=Decimal("0.00")))["sum"]
    return {**counts, "revenue_today": revenue}


def filtered(request: HttpRequest) -> OrderFilter:
    orders = Order.objects.visible_to(request.user).select_related("user").prefetch_related("lines")
    return OrderFilter(request.GET, queryset=orders.order_by("-pk"))


def dashboard_page(request: HttpRequest, marked: int | None = None) -> HttpResponse:
    """The dashboard for the filter, sorting and page in the address; `marked` is the order that was just changed."""
    orders = filtered(request)
    table = OrderTable(orders.qs, order_by=request.GET.getlist("sort") or None)
    # Not by the library's RequestConfig, which lets an address ask for a page of any length.
    table.paginate(per_page=PER_PAGE)
    table.page = table.paginator.page(nearest(request.GET.get("page"), table.paginator.num_pages))
    context = {
        "filter": orders,
        "table": table,
        "pages": table.paginator.get_elided_page_range(table.page.number),
        "figures": figures(orders.qs),
        "query": request.GET.urlencode(),
        "marked": marked,
    }
    return render_page(request, "staff/order_dashboard.html", context, partial="order-results")


@require_safe
@employees_only
def order_dashboard(request: HttpRequest) -> HttpResponse:
    return dashboard_page(request)


@require_POST
@employees_only
def order_mark_paid(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark an order paid, and show the table that it stands in anew: the address keeps the filter."""
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    try:
        text = f"{order} is paid." if order.mark_paid() else f"{order} was paid already."
        messages.success(request, text)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    if wants_fragment(request):
        return dashboard_page(request, marked=order.pk)
    return redirect(f"{reverse('order_dashboard')}?{request.GET.urlencode()}".rstrip("?"))


@require_safe
@employees_only
def order_dashboard_export(request: HttpRequest) -> HttpResponseBase:
    """The filtered orders as a CSV file."""
    header = ("Order", "E-mail", "Status", "Name", "Books", "Total", "Placed", "Changed")
    return csv_response("orders.csv", header, exported(filtered(request).qs))


def exported(orders: Any) -> Iterator[tuple[Any, ...]]:
    for order in orders.iterator(chunk_size=500):
        yield (
            order.pk,
            order.user.email,
            order.get_status_display(),
            order.billing_name,
            len(order.lines.all()),
            order.total_price,
            timezone.localtime(order.date_added).isoformat(timespec="seconds"),
            timezone.localtime(order.date_updated).isoformat(timespec="seconds"),
        )
