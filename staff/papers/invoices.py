"""Invoices, on the screen and as a PDF, from one template.

Who may see one: its shopper and the employees (`Order.objects.visible_to`), on paper as in the offices that show money.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from shop.models import Order, OrderLine
from staff.papers.pdf import pdf_response

STYLESHEET = "css/invoice.css"
FONTS = ("vendor/fraunces-5.3.0-latin-500.woff2",)


@dataclass(frozen=True)
class InvoiceRow:
    """A book at the price that it was charged."""

    name: str
    unit_price: Decimal
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


@dataclass(frozen=True)
class Invoice:
    """What an order's shopper is asked to pay: its lines but for the cancelled, and how many of those there were."""

    order: Order
    rows: list[InvoiceRow]
    cancelled: int

    @classmethod
    def of(cls, order: Order) -> "Invoice":
        columns = ("product", "product__name", "price", "status")
        counted = order.lines.order_by().values_list(*columns).annotate(Count("pk"), first=Min("pk")).order_by("first")
        charged: Counter[tuple[int, str, Decimal]] = Counter()
        cancelled = 0
        for product, name, price, status, count, _ in counted:
            if status == OrderLine.CANCELLED:
                cancelled += count
            else:
                charged[product, name, price] += count
        rows = [InvoiceRow(name, price, quantity) for (_, name, price), quantity in charged.items()]
        return cls(order, rows, cancelled)

    @property
    def number(self) -> str:
        return f"BT{self.order.pk}"

    @property
    def total(self) -> Decimal:
        return sum((row.total for row in self.rows), Decimal("0.00"))

    @property
    def billing_address(self) -> list[str]:
        order = self.order
        town = f"{order.billing_city} {order.billing_zip_code}".strip()
        lines = (order.billing_name, order.billing_address1, order.billing_address2, town)
        return [*(line for line in lines if line), order.get_billing_country_display()]


def invoice_pdf(request: HttpRequest, invoice: Invoice) -> HttpResponse:
    """The invoice on sheets of A4."""
    filename, context = f"{invoice.number}.pdf", {"invoice": invoice}
    return pdf_response(request, filename, "staff/invoice.html", context, stylesheet=STYLESHEET, fonts=FONTS)


@require_safe
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's invoice in the owners' and the central office, which let in their own alone: `BackOffice.admits`."""
    found = Invoice.of(get_object_or_404(Order, pk=pk))
    if request.GET.get("format") == "pdf":
        return invoice_pdf(request, found)
    return render(request, "staff/invoice.html", {"invoice": found, "stylesheet": static(STYLESHEET), "screen": True})


@require_safe
@login_required
def order_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's invoice as a PDF on the shop's side, for whom the order is visible."""
    return invoice_pdf(request, Invoice.of(get_object_or_404(Order.objects.visible_to(request.user), pk=pk)))
