"""The office's live view of orders: filtered, sorted and paged in place."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from shop.browsing.listing import nearest
from shop.models import Order, User
from shop.values.money import money
from shop.web.fragments import render_page, wants_fragment
from staff.date_filters import MomentFilter
from staff.models import DaySales
from staff.reports.csv_download import csv_response

PER_PAGE = 25
MOST_SORTS = 10
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


def moment_filter(field: str, lookup: str, label: str) -> MomentFilter:
    return MomentFilter(field, lookup, label=label, widget=forms.DateInput(attrs={"type": "date"}))


class OrderFilter(django_filters.FilterSet):
    """Orders by what the address asks for; a status means those that were not cancelled."""

    PAID_FOR, CANCELLED = "paid", "cancelled"
    STATES = (
        (Order.NEW.value, "New"),
        (Order.PAID.value, "Paid, to send"),
        (Order.DONE.value, "Done"),
        (PAID_FOR, "Paid, sent or not"),
        (CANCELLED, "Cancelled"),
    )

    user__email__icontains = django_filters.CharFilter(
        "user__email",
        "icontains",
        label="E-mail contains",
        max_length=254,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = django_filters.ChoiceFilter(choices=STATES, label="Status", empty_label="Any", method="in_state")
    date_added__gt = moment_filter("date_added", "gt", "Placed since")
    date_added__lt = moment_filter("date_added", "lt", "Placed before")
    date_updated__gt = moment_filter("date_updated", "gt", "Changed since")
    date_updated__lt = moment_filter("date_updated", "lt", "Changed before")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()

    def in_state(self, orders: Any, name: str, state: str) -> Any:
        if state == self.CANCELLED:
            return orders.cancelled()
        kept = orders.not_cancelled()
        return kept.paid_for() if state == self.PAID_FOR else kept.filter(status=state)


class OrderTable(tables.Table):
    pk = tables.Column("Order", linkify=lambda record: order_link(record))
    user__email = tables.Column("Customer")
    status = tables.Column()
    books = tables.Column(accessor="tally__books", orderable=False, attrs=NUMBER)
    total = tables.Column(accessor="grand_total", orderable=False, attrs=NUMBER)
    date_added = tables.DateTimeColumn(verbose_name="Placed", format="j M Y, H:i", attrs=MOMENT)
    date_updated = tables.DateTimeColumn(verbose_name="Changed", format="j M Y, H:i", attrs=MOMENT)

    class Meta:
        model = Order
        fields = ("pk", "user__email", "status", "books", "total", "date_added", "date_updated")
        order_by = ("-pk",)

    def render_status(self, record: Order) -> str:
        label = str(record.state)
        return format_html('<span class="badge badge--{}">{}</span>', label.lower(), label)

    def render_total(self, value: Decimal) -> str:
        return money(value)


def order_link(order: Order) -> str:
    return reverse("office_admin:shop_order_change", args=[order.pk])


@dataclass(frozen=True)
class Figure:
    """A number above the table, and the query of the list that holds the orders it is of."""

    label: str
    value: str
    query: str


def figures(request: HttpRequest) -> Iterator[Figure]:
    """Each of the orders that the address asks for, but for what the figure itself says of them."""
    today = {"date_added__gt": timezone.localdate().isoformat(), "date_added__lt": ""}
    for label, asked in (
        ("Placed today", today),
        ("New, not paid", {"status": str(Order.NEW)}),
        ("Paid, to send", {"status": str(Order.PAID)}),
    ):
        query = narrowed(request, asked)
        yield Figure(label, str(filtered(request, query).qs.count()), query.urlencode())
    query = narrowed(request, {**today, "status": OrderFilter.PAID_FOR})
    revenue = filtered(request, query).qs.order_by().aggregate(sum=DaySales.FIGURES["revenue"])["sum"]
    yield Figure("Revenue of today’s orders", money(revenue), query.urlencode())


def narrowed(request: HttpRequest, asked: dict[str, str]) -> QueryDict:
    """What the address asks for, with other values for some of it, from the first page on."""
    query = request.GET.copy()
    for name, value in {**asked, "page": ""}.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return query


def filtered(request: HttpRequest, query: QueryDict) -> OrderFilter:
    orders = Order.objects.visible_to(request.user).select_related("user").with_tally()
    return OrderFilter(query, queryset=orders.order_by("-pk"))


def dashboard_page(request: HttpRequest, marked: int | None = None) -> HttpResponse:
    """The dashboard for the filter, sorting and page in the address; `marked` is the order that was just changed."""
    orders = filtered(request, request.GET)
    table = OrderTable(orders.qs, order_by=request.GET.getlist("sort")[:MOST_SORTS] or None)
    # Not by the library's RequestConfig, which lets an address ask for a page of any length.
    table.paginate(per_page=PER_PAGE)
    table.page = table.paginator.page(nearest(request.GET.get("page"), table.paginator.num_pages))
    context = {
        "filter": orders,
        "table": table,
        "pages": table.paginator.get_elided_page_range(table.page.number),
        "figures": list(figures(request)),
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
    return csv_response("orders.csv", header, exported(filtered(request, request.GET).qs))


def exported(orders: Any) -> Iterator[tuple[Any, ...]]:
    for order in orders.iterator(chunk_size=500):
        yield (
            order.pk,
            order.user.email,
            order.state,
            order.billing_name,
            order.tally().books,
            order.grand_total,
            timezone.localtime(order.date_added).isoformat(timespec="seconds"),
            timezone.localtime(order.date_updated).isoformat(timespec="seconds"),
        )
