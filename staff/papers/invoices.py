"""Invoices and credit notes, on the screen and as a PDF, each from one template.

They are made of what was stored when the order was placed, paid or refunded: a later change of the company, of a book
or of a rate changes none. Who may see one: its shopper and the employees (`Order.objects.visible_to`), on paper as in
the offices that show money.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from shop.models import Company, Order, OrderLine, Refund
from shop.models.order_money import Account
from shop.values.money import ZERO
from shop.values.vat import VatRow, vat_table
from staff.papers.pdf import pdf_response

STYLESHEET = "css/invoice.css"
FONTS = ("vendor/fraunces-5.3.0-latin-500.woff2",)
DUE_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class InvoiceRow:
    """A book at the price that it was charged; one that was cancelled is not."""

    name: str
    about: str
    unit_price: Decimal
    quantity: int
    is_cancelled: bool

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity


class Paper:
    """What an invoice and a credit note have in common: whom they are from and to."""

    def __init__(self, order: Order) -> None:
        self.order = order

    @property
    def seller(self) -> dict[str, Any]:
        company = Company.objects.current()
        # An order from before anybody wrote where the company is has nothing of its own.
        return self.order.seller or {name: getattr(company, name) for name in Company.PRINTED}

    @property
    def billing_address(self) -> list[str]:
        return self.order.billing_lines()


class Invoice(Paper):
    """What an order costs, what was paid of it, and how the rest is paid."""

    @cached_property
    def rows(self) -> list[InvoiceRow]:
        columns = ("product", "name", "price", "status", "isbn", "format", "authors_text")
        lines = self.order.lines.order_by().values_list(*columns).annotate(Count("pk"), first=Min("pk"))
        charged: Counter[tuple[Any, ...]] = Counter()
        for product, name, price, status, isbn, format, authors, count, _ in lines.order_by("first"):
            charged[product, name, price, isbn, format, authors, status == OrderLine.CANCELLED] += count
        formats: Any = OrderLine._meta.get_field("format").choices
        labels = dict(formats)
        return [
            InvoiceRow(name, ", ".join(filter(None, (authors, labels.get(format), isbn))), price, count, is_cancelled)
            for (_, name, price, isbn, format, authors, is_cancelled), count in charged.items()
        ]

    @property
    def number(self) -> str:
        return self.order.reference

    @cached_property
    def account(self) -> Account:
        return self.order.account()

    @cached_property
    def is_cancelled(self) -> bool:
        return self.order.is_cancelled or not self.order.books_left()

    @cached_property
    def delivery(self) -> Decimal:
        return ZERO if self.is_cancelled else self.order.delivery_price

    @cached_property
    def total(self) -> Decimal:
        return self.order.grand_total

    @cached_property
    def vat(self) -> list[VatRow]:
        left = self.order.lines.exclude(status=OrderLine.CANCELLED).order_by()
        return vat_table(left.values_list("vat_percent", "price"), self.delivery)

    @property
    def is_paid(self) -> bool:
        return not self.is_cancelled and self.order.status in Order.PAID_FOR

    @property
    def due(self) -> Decimal:
        return ZERO if self.is_cancelled or self.is_paid else self.account.due

    @property
    def due_on(self) -> datetime:
        return self.order.date_added + DUE_WITHIN

    @cached_property
    def supplied_on(self) -> datetime | None:
        """When the last of its books was sent; None before that."""
        if self.order.status != Order.DONE:
            return None
        sent = self.order.lines.filter(status=OrderLine.SENT)
        moment: datetime | None = sent.aggregate(last=Max("date_updated"))["last"]
        return moment

    @cached_property
    def credit_notes(self) -> list[Refund]:
        return list(self.order.refunds().order_by("number"))


class CreditNote(Paper):
    """What goes back of what was paid for an order, and why."""

    def __init__(self, refund: Refund) -> None:
        super().__init__(refund.payment.order)
        self.refund = refund

    @property
    def number(self) -> str:
        return self.refund.credit_note

    @property
    def vat(self) -> list[VatRow]:
        return self.refund.vat_table()


def paper(request: HttpRequest, template: str, found: Invoice | CreditNote, *, as_pdf: bool) -> HttpResponse:
    """A paper on sheets of A4, or on the screen."""
    context = {"paper": found}
    if as_pdf:
        return pdf_response(request, f"{found.number}.pdf", template, context, stylesheet=STYLESHEET, fonts=FONTS)
    return render(request, template, {**context, "stylesheet": static(STYLESHEET), "screen": True})


def wants_pdf(request: HttpRequest) -> bool:
    return request.GET.get("format") == "pdf"


@require_safe
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's invoice in the owners' and the central office, which let in their own alone: `BackOffice.admits`."""
    found = Invoice(get_object_or_404(Order, pk=pk))
    return paper(request, "staff/invoice.html", found, as_pdf=wants_pdf(request))


@require_safe
def credit_note(request: HttpRequest, number: int) -> HttpResponse:
    """A credit note in the same offices."""
    refund = get_object_or_404(Refund.objects.select_related("payment__order"), number=number)
    return paper(request, "staff/credit_note.html", CreditNote(refund), as_pdf=wants_pdf(request))


@require_safe
@login_required
def order_invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """An order's invoice as a PDF on the shop's side, for whom the order is visible."""
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    return paper(request, "staff/invoice.html", Invoice(order), as_pdf=True)


@require_safe
@login_required
def order_credit_note(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A credit note as a PDF, for whom its order is visible."""
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    refund = get_object_or_404(order.refunds().select_related("payment__order"), number=number)
    return paper(request, "staff/credit_note.html", CreditNote(refund), as_pdf=True)
