"""Invoices, on the screen and as a PDF, from one template."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from shop.models import Order, OrderLine

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
        lines = list(order.lines.select_related("product").only("price", "status", "order", "product__name"))
        charged = Counter(
            (line.product_id, line.product.name, line.price) for line in lines if line.status != OrderLine.CANCELLED
        )
        rows = [InvoiceRow(name, price, quantity) for (_, name, price), quantity in charged.items()]
        return cls(order, rows, cancelled=len(lines) - charged.total())

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


def pdf(invoice: Invoice) -> bytes:
    """The invoice on sheets of A4."""
    # Here, since the library is large and few processes ever make an invoice.
    from staff.pdf import asset, render_pdf

    html = render_to_string("staff/invoice.html", {"invoice": invoice, "stylesheet": asset(STYLESHEET).as_uri()})
    return render_pdf(html, assets=(STYLESHEET, *FONTS))


def pdf_response(invoice: Invoice) -> HttpResponse:
    return HttpResponse(
        pdf(invoice),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{invoice.number}.pdf"'},
    )


@require_safe
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's invoice in the back offices, which let nobody else in."""
    found = Invoice.of(get_object_or_404(Order, pk=pk))
    if request.GET.get("format") == "pdf":
        return pdf_response(found)
    return render(request, "staff/invoice.html", {"invoice": found, "stylesheet": static(STYLESHEET), "screen": True})


@require_safe
@login_required
def order_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """A shopper's own order as a PDF."""
    return pdf_response(Invoice.of(get_object_or_404(Order.objects.visible_to(request.user), pk=pk)))
