"""The pages about money; each is given the office that it stands in. Who gets in: `BackOffice.admits`."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shop.models import Order, Payment, PaymentProblem, Refund
from shop.payments import refunding
from shop.values.money import money
from staff.money.forms import ReceivedForm, RefundForm, StatementForm
from staff.money.statement import matches
from staff.office_pages import attempt, page

AWAITED_A_PAGE = 50


def back(request: HttpRequest, site: AdminSite, order: Order | None = None) -> HttpResponse:
    """Where the button was pressed: on an order's page of money, or on that of all."""
    if order is not None and request.POST.get("from") == "order":
        return redirect(reverse("admin:order_money", args=[order.pk], current_app=site.name))
    return redirect(reverse("admin:money", current_app=site.name))


@require_safe
def money_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    paid = Count("payments", filter=Q(payments__status=Payment.Status.PAID), distinct=True)
    awaited = Order.objects.filter(status=Order.NEW).not_cancelled().select_related("user").with_tally()
    awaited = awaited.with_account().order_by("-pk").annotate(came=paid, went=Count("payments__refunds", distinct=True))
    shown = Paginator(awaited, AWAITED_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": "Money",
        "problems": PaymentProblem.objects.open().select_related("order", "refund", "payment"),
        "refunds": Refund.objects.to_make_by_hand().select_related("payment__order__user"),
        "awaited": shown,
    }
    return page(request, site, "staff/money/money.html", context)


@require_safe
def order_money(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    return order_page(request, site, get_object_or_404(Order, pk=pk))


def order_page(request: HttpRequest, site: AdminSite, order: Order, **context: Any) -> HttpResponse:
    account = order.account()
    context = {
        "title": f"Money of order {order.pk}",
        "order": order,
        "account": account,
        "refundable": account.paid - account.refunded - account.on_its_way_back,
        "payments": order.payments.all(),
        "refunds": order.refunds().select_related("payment", "by"),
        "events": order.events.select_related("by"),
        "state": state_of(order),
        "received": ReceivedForm(),
        "refund": RefundForm(order),
        **context,
    }
    return page(request, site, "staff/money/order.html", context)


def state_of(order: Order) -> str:
    """What a form says that it was filled in by: it changes with each payment and refund."""
    return f"{order.payments.paid().count()}-{order.refunds().count()}"


def as_it_was_seen(form: ReceivedForm | RefundForm, order: Order) -> bool:
    """Whether a form is good, and nothing came or went since it was shown; needs the order's lock."""
    if form.is_valid() and form.cleaned_data["seen"] not in ("", state_of(order)):
        form.add_error(None, "Something came in or went back meanwhile: look again, then send it once more.")
    return form.is_valid()


@require_POST
@transaction.atomic
def money_received(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Record a transfer that came in for an order."""
    order = get_object_or_404(Order, pk=pk)
    order.lock()
    form = ReceivedForm(request.POST)
    if not as_it_was_seen(form, order):
        return order_page(request, site, order, received=form, status=422)
    amount = form.cleaned_data["amount"]
    order.receive(amount, by=request.user)
    order.refresh_from_db()
    rest = f" {money(order.due)} are still to come." if order.status == Order.NEW and order.due else ""
    messages.success(request, f"{money(amount)} recorded for order {order.pk}.{rest}")
    return back(request, site, order)


@require_POST
@transaction.atomic
def refund_make(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Give back what somebody decided to."""
    order = get_object_or_404(Order, pk=pk)
    order.lock()
    form = RefundForm(order, request.POST)
    if as_it_was_seen(form, order):
        try:
            order.refund(
                form.total, form.cleaned_data["reason"], lines=list(form.cleaned_data["lines"]), by=request.user
            )
        except ValidationError as error:
            form.add_error(None, error)
    if not form.is_valid():
        return order_page(request, site, order, refund=form, status=422)
    messages.success(request, f"{money(form.total)} of order {order.pk} goes back.")
    return back(request, site, order)


@require_POST
def refund_done(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Note that a person sent it back at the bank."""
    refund = get_object_or_404(Refund.objects.select_related("payment__order"), pk=pk)
    order = refund.payment.order
    if order.finish_refund(refund, by=request.user):
        messages.success(request, f"{money(refund.amount)} of order {order.pk} noted as sent back.")
    else:
        messages.info(request, f"{money(refund.amount)} of order {order.pk} was noted as sent back before.")
    return back(request, site, order)


@require_POST
@transaction.atomic
def problem_settle(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """One of the ways out of what needed a person."""
    problem = get_object_or_404(PaymentProblem.objects.select_for_update(of=("self",)), pk=pk)
    ways = {way.name: way for way in problem.ways_out()}
    way = ways.get(request.POST.get("way", ""))
    if problem.settled_at:
        messages.info(request, "This was settled before.")
    elif way is None:
        messages.error(request, "Choose one of the ways out.")
    elif attempt(request, lambda: WAYS[way.name](problem, request), way.done):
        problem.settle(way.done, by=request.user)
        if problem.refund is not None:
            refunding.give_back_the_rest(problem.refund)
    return back(request, site)


def book_what_came(problem: PaymentProblem, request: HttpRequest) -> None:
    payment = what_came(problem)
    payment.order.pay(payment, by=request.user)


def send_back_what_came(problem: PaymentProblem, request: HttpRequest) -> None:
    payment = what_came(problem)
    payment.order.take_and_return(payment, by=request.user)


def what_came(problem: PaymentProblem) -> Payment:
    """The payment with the amount that came. Raises ValidationError where that was booked meanwhile."""
    payment = of(problem)
    payment.order.lock()
    payment.refresh_from_db(fields=["status", "amount", "reference", "charge"])
    if payment.status == Payment.Status.PAID:
        raise ValidationError("It was booked meanwhile.")
    payment.amount = problem.amount  # type: ignore[assignment]
    payment.save(update_fields=["amount"])
    return payment


def try_again(problem: PaymentProblem, request: HttpRequest) -> None:
    refunding.try_again(problem.refund)  # type: ignore[arg-type]


def sent_by_transfer(problem: PaymentProblem, request: HttpRequest) -> None:
    refunding.made_by_hand(problem.refund, by=request.user)  # type: ignore[arg-type]


def went_otherwise(problem: PaymentProblem, request: HttpRequest) -> None:
    refunding.made_otherwise(problem.refund, by=request.user)  # type: ignore[arg-type]


def of(problem: PaymentProblem) -> Payment:
    if problem.payment is None:
        raise ValidationError("Nobody knows which payment this is about.")
    return problem.payment


WAYS: dict[str, Callable[[PaymentProblem, HttpRequest], None]] = {
    "book": book_what_came,
    "send_back": send_back_what_came,
    "again": try_again,
    "by_transfer": sent_by_transfer,
    "otherwise": went_otherwise,
    "seen": lambda problem, request: None,
}


@require_http_methods(["GET", "HEAD", "POST"])
def statement(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Paste a statement, see what it would book, book what is chosen."""
    form = StatementForm(request.POST or None)
    context: dict[str, Any] = {"title": "Bank statement", "form": form}
    if request.method == "POST":
        context["status"] = 422
    if form.is_valid():
        try:
            found = matches(form.cleaned_data["statement"])
        except ValueError as error:
            form.add_error("statement", str(error))
        else:
            if "book" in request.POST:
                return book(request, site, found)
            context |= {"matches": found, "good": sum(match.is_good for match in found), "status": 200}
    return page(request, site, "staff/money/statement.html", context)


def book(request: HttpRequest, site: AdminSite, found: list[Any]) -> HttpResponse:
    chosen = set(request.POST.getlist("entry"))
    booked = 0
    for match in found:
        if match.is_good and match.entry.key in chosen:
            booked += match.order.receive(match.entry.amount, by=request.user, reference=match.entry.key) is not None
    messages.success(request, f"{booked} payment{'' if booked == 1 else 's'} booked.")
    return redirect(reverse("admin:money", current_app=site.name))
