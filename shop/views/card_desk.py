"""The page of the demo's card desk. A server takes cards at its provider's, and has no such page."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from shop.models import CardDeskSession, Payment
from shop.payments.card_desk import told_of
from shop.payments.paying import hear

ANSWERS = {
    "pay": Payment.Status.PAID,
    "pay_twice": Payment.Status.PAID,
    "decline": Payment.Status.FAILED,
}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def card_desk(request: HttpRequest, reference: str) -> HttpResponse:
    if not settings.IS_DEMO:
        raise Http404
    sessions = CardDeskSession.objects.select_related("payment__order").filter(payment__order__user=request.user.pk)
    session = get_object_or_404(sessions, reference=reference)
    if request.method != "POST" or session.status != Payment.Status.PENDING:
        return render(request, "shop/card_desk.html", {"session": session})
    answer = request.POST.get("answer", "")
    if answer not in ANSWERS:
        return redirect(session.given_up)
    with transaction.atomic():
        CardDeskSession.objects.filter(pk=session.pk).update(status=ANSWERS[answer])
        session.refresh_from_db()
        if answer == "pay_twice":
            pay_once_more(session)
    return redirect(session.back if answer != "decline" else session.given_up)


def pay_once_more(session: CardDeskSession) -> None:
    """As somebody does who pays in two windows: the provider has both, and the shop hears of both."""
    order, first = session.payment.order, session.payment
    second = order.payments.create(method=first.method, amount=first.amount, currency=first.currency)
    more = CardDeskSession.objects.create(
        payment=second,
        reference=f"{session.reference}-2",
        status=Payment.Status.PAID,
        back=session.back,
        given_up=session.given_up,
    )
    Payment.objects.filter(pk=second.pk).update(reference=more.reference)
    for paid in (session, more):
        hear(paid.payment, told_of(paid))
