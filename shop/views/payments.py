"""Paying for an order by card: to the provider's page and back, and what the provider tells by itself."""

import logging

import stripe
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from shop.mail.outgoing import link_in_mail
from shop.models import Order
from shop.payments import inbox, paying
from shop.payments.provider import ProviderAway, ProviderRefused
from shop.web.fragments import wants_fragment
from shop.web.redirects import sent_from

logger = logging.getLogger(__name__)

AWAY = "The card payment could not be begun: our payment provider does not answer. Try again in a moment."


def with_pay_button(response: HttpResponse) -> HttpResponse:
    """The response, whose page may lead a form on to the provider's: a browser's policy else stops it there."""
    chosen = paying.provider()
    response.leads_to = chosen.origin if chosen else ""  # type: ignore[attr-defined]
    return response


def lead_to(request: HttpRequest, url: str) -> HttpResponse:
    """Send the whole page there, also from a fragment."""
    if wants_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)


def to_the_provider(request: HttpRequest, order: Order) -> HttpResponse:
    """The way to the page where an order is paid; where there is none, the order's own page with the reason."""
    back = link_in_mail(request, reverse("order_paid", args=[order.pk]))
    given_up = link_in_mail(request, reverse("order_unpaid", args=[order.pk]))
    try:
        if url := paying.begin(order, back, given_up):
            return lead_to(request, url)
    except ValidationError as error:
        messages.error(request, error.message)
    except ProviderAway:
        messages.error(request, AWAY)
    except ProviderRefused as error:
        logger.exception("Order %s: no card payment", order.pk)
        messages.error(request, f"The card payment could not be begun: {error}")
    return lead_to(request, order.get_absolute_url())


@sent_from("order_detail", "pk")
@login_required
def order_pay(request: HttpRequest, pk: int) -> HttpResponse:
    return to_the_provider(request, get_object_or_404(Order, pk=pk, user=request.user.pk))


@require_safe
@login_required
def order_paid(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the shopper comes back to who did what the provider's page asks for."""
    return came_back(request, pk, "We are waiting for your bank. The order is paid as soon as it tells us.")


@require_safe
@login_required
def order_unpaid(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a shopper who gives up comes back to."""
    hours = settings.PAY_WITHIN_HOURS
    return came_back(request, pk, f"The order is not paid yet. You can pay it here within {hours} hours.")


def came_back(request: HttpRequest, pk: int, unpaid: str) -> HttpResponse:
    """The provider is asked, as what it tells by itself may be late, or lost; `unpaid` says what to do else."""
    order = get_object_or_404(Order, pk=pk, user=request.user.pk)
    try:
        paying.look(order)
    except (ProviderAway, ProviderRefused) as error:
        logger.warning("Order %s: the provider did not say whether it is paid: %s", order.pk, error)
        messages.info(request, "We could not ask your bank yet. If you paid, the order is paid as soon as it tells us.")
        return redirect(order)
    order.refresh_from_db()
    if not order.books_left():
        return redirect(order)
    if order.status != Order.NEW:
        messages.success(request, f"Thank you, order {order.pk} is paid.")
    else:
        messages.info(request, unpaid)
    return redirect(order)


@csrf_exempt  # the provider has no token of ours: its signature says who it is
@require_POST
def stripe_events(request: HttpRequest) -> HttpResponse:
    """What Stripe tells by itself: 200 once it is stored, 400 where it is not Stripe that tells, or not now."""
    secret = settings.STRIPE_WEBHOOK_SECRET
    try:
        if not secret:
            raise ValueError("no secret")
        stripe.WebhookSignature.verify_header(
            request.body.decode(), request.headers.get("Stripe-Signature", ""), secret, stripe.Webhook.DEFAULT_TOLERANCE
        )
    # The library lets errors of a garbled header through.
    except (stripe.SignatureVerificationError, ValueError, LookupError, TypeError, AttributeError):
        return HttpResponse("The signature is missing, wrong or too old.", "text/plain", 400)
    inbox.take_in(inbox.receive(request.body))
    return HttpResponse("ok", "text/plain")
