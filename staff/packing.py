"""A dispatcher packs an order: each copy is scanned into the box, then the parcel is sent.

What lies in the box is kept with the lines (`OrderLine.packed_at`), so that it outlives a reload, and two who pack one
order see each other's. It can be taken out again, which a status could not tell.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from shop.models import Order, OrderLine
from shop.models.product import BookFormat
from shop.values.carriers import NAMES

# Of a book, in the address of its buttons.
Key = int


@dataclass(frozen=True)
class Packed:
    """A book of the order that is left to send, and how many copies of it lie in the box."""

    product: Key
    name: str
    authors: str
    isbn: str
    format: str
    copies: int
    packed: int

    @property
    def is_complete(self) -> bool:
        return self.packed == self.copies


def packed(order: Order) -> list[Packed]:
    """What is left to send, in the sequence it was ordered in."""
    columns = ("product", "name", "authors_text", "isbn", "format")
    lines = order.lines.to_send().order_by().values_list(*columns)
    counted = lines.annotate(copies=Count("pk"), packed=Count("packed_at"), first=Min("pk")).order_by("first")
    formats = dict(BookFormat.choices)
    return [
        Packed(product, name, authors, isbn, str(formats.get(format, "")).lower(), copies, packed)
        for product, name, authors, isbn, format, copies, packed, _ in counted
    ]


class ParcelForm(forms.Form):
    carrier = forms.CharField(max_length=60, widget=forms.TextInput(attrs={"list": "carriers", "autocomplete": "off"}))
    tracking_number = forms.CharField(
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Where there is one.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def pack(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """The box of a paid order: scan a copy (`isbn`), put in or take out one (`put`, `take`), send it (`carrier`)."""
    if not request.user.has_perms(("shop.change_order", "shop.change_orderline")):
        raise PermissionDenied("Your account may not send orders.")
    order = Order.objects.paid().filter(pk=pk).first()
    if order is None:
        # It may have left a moment ago.
        get_object_or_404(Order.objects.paid_for(), pk=pk)
        return redirect(reverse("admin:shop_order_changelist", current_app=site.name))
    if request.method != "POST":
        return page(request, site, order, ParcelForm(initial={"carrier": last_carrier(order)}))
    if "carrier" in request.POST:
        form = ParcelForm(request.POST)
        if not form.is_valid() or not send(request, order, form):
            return page(request, site, order, form, status=422)
        if not Order.objects.paid().filter(pk=pk).exists():
            messages.success(request, f"{order} is done: all of its lines are sent or cancelled.")
            return redirect(reverse("admin:shop_order_changelist", current_app=site.name))
    else:
        move(request, order)
    return redirect(reverse("admin:pack", args=[pk], current_app=site.name))


def move(request: HttpRequest, order: Order) -> None:
    """Put a copy into the box, or take one out, and say so."""
    try:
        if "isbn" in request.POST:
            line = order.pack_isbn(request.POST["isbn"])
        elif "put" in request.POST:
            line = order.pack_copy(product=key(request.POST["put"]))
        else:
            line = order.unpack_copy(product=key(request.POST.get("take", "")))
            messages.info(request, f"Taken out: {line.name}")
            return
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"In the box: {line.name}")


def key(text: str) -> Key:
    return int(text) if text.isdecimal() and len(text) < 18 else 0


def send(request: HttpRequest, order: Order, form: ParcelForm) -> bool:
    try:
        parcel = order.send_packed(**form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    LogEntry.objects.log_actions(
        request.user.pk or 0, [order], CHANGE, f"Sent a parcel: {parcel.label}", single_object=True
    )
    messages.success(request, f"Sent: {parcel.label}. The shopper is told.")
    return True


def last_carrier(order: Order) -> str:
    """What this order's last parcel went with."""
    last = order.parcels.last()
    return last.carrier if last else ""


def page(request: HttpRequest, site: AdminSite, order: Order, form: ParcelForm, status: int = 200) -> HttpResponse:
    books = packed(order)
    context: dict[str, Any] = {
        "title": f"Pack order {order.pk}",
        "order": order,
        "books": books,
        "copies": sum(book.copies for book in books),
        "in_the_box": sum(book.packed for book in books),
        "sent": order.lines.filter(status=OrderLine.SENT).count(),
        "form": form,
        "carriers": NAMES,
    }
    request.current_app = site.name
    return TemplateResponse(request, "staff/pack.html", {**site.each_context(request), **context}, status=status)
