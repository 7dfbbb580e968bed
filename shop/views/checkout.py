from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from shop.forms import AddressForm, changed_country, live_error
from shop.mail.outgoing import link_in_mail
from shop.models import Address, Basket, DeliveryMethod, Order, Payment
from shop.models.basket_line import BasketLineQuerySet
from shop.models.delivery_method import FREE
from shop.payments.paying import takes_cards, ways_to_pay
from shop.views.payments import to_the_provider, with_pay_button
from shop.web.fragments import render_page, wants_fragment
from shop.web.redirects import sent_from
from shop.web.session_basket import basket_of

CARD = Payment.Method.CARD.value


class CheckoutForm(forms.Form):
    """Where an order of `user`'s goes, how it is paid, and the total that its page showed."""

    shipping_address = forms.ModelChoiceField(Address.objects.none(), error_messages={"required": "Choose an address."})
    billing_address = forms.ModelChoiceField(Address.objects.none(), error_messages={"required": "Choose an address."})
    delivery_method = forms.ModelChoiceField(
        DeliveryMethod.objects.none(),
        required=False,
        error_messages={"invalid_choice": "That way of delivery is not offered any more. Choose another."},
    )
    total = forms.DecimalField(required=False, max_digits=12)
    payment = forms.CharField(required=False)

    def __init__(self, user: Any, data: Any = None) -> None:
        super().__init__(data)
        self.addresses = Address.objects.visible_to(user)
        for name in ("shipping_address", "billing_address"):
            self.fields[name].queryset = self.addresses  # type: ignore[attr-defined]
        self.fields["delivery_method"].queryset = DeliveryMethod.objects.active()  # type: ignore[attr-defined]

    def expected_total(self) -> Decimal | None:
        """What the page showed for the way of delivery that is chosen; None where it did not say.

        Without JavaScript its total is that of the way that was chosen when it was shown, `delivery_shown`.
        """
        total, method = self.cleaned_data["total"], self.cleaned_data["delivery_method"]
        if total is None or method is None:
            return cast("Decimal | None", total)
        shown, chosen = (self._price_shown(key) for key in (self.data.get("delivery_shown"), method.pk))
        return total if shown is None or chosen is None else total - shown + chosen

    def _price_shown(self, method: Any) -> Decimal | None:
        price = forms.DecimalField(max_digits=12)
        try:
            return cast(Decimal, price.clean(self.data.get(f"delivery_price_{method}")))
        except ValidationError:
            return None

    def place_order(self, basket: Basket, site: str) -> Order:
        """Order `basket` as the shopper saw it: see `Order.objects.place`."""
        chosen = self.cleaned_data
        return Order.objects.place(
            basket,
            chosen["billing_address"],
            chosen["shipping_address"],
            expected_total=self.expected_total(),
            site=site,
            delivery_method=chosen["delivery_method"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def order_address_select(request: HttpRequest) -> HttpResponse:
    basket = _basket_to_order(request)
    if basket is None:
        return redirect("basket_detail")
    if basket.status == Basket.SUBMITTED:
        return _placed(request, basket.order)
    if request.method != "POST" or "refresh" in request.POST:
        return _checkout_page(request, basket)
    form = CheckoutForm(request.user, request.POST)
    if form.is_valid():
        try:
            return _placed(request, form.place_order(basket, site=link_in_mail(request, "/").rstrip("/")))
        except ValidationError as error:
            form.add_error(None, error)
    return _checkout_page(request, basket, form=form, status=422)


def _placed(request: HttpRequest, order: Order) -> HttpResponse:
    """Where a shopper goes whose order is placed: to pay it by card, if that was chosen."""
    if request.POST.get("payment") == CARD and takes_cards():
        return to_the_provider(request, order)
    return redirect("order_done")


def _basket_to_order(request: HttpRequest) -> Basket | None:
    """What this request is to order: the basket that its page showed, or else the one with books in it.

    Sent once more after it was ordered, it finds the basket that is ordered already.
    """
    baskets = Basket.objects.filter(user=request.user.pk).order_by("-pk")
    shown = request.POST.get("basket", "")
    # int() refuses thousands of digits.
    if (
        shown.isdecimal()
        and len(shown) < 20
        and (basket := baskets.filter(pk=int(shown)).first())
        and not basket.is_empty()
    ):
        return basket
    newest = baskets.first()
    if newest is None or newest.is_empty():
        return None
    return newest if request.method == "POST" or newest.status == Basket.OPEN else None


def _checkout_page(request: HttpRequest, basket: Basket, status: int = 200, **context: Any) -> HttpResponse:
    """The page as it is now, with what `context` says about what was just sent."""
    lines = basket.lines.for_page()
    addresses = list(Address.objects.visible_to(request.user))
    shipping = context.get("shipping") or _chosen(request, "shipping_address", addresses)
    context = {
        "form": CheckoutForm(request.user),
        "address_form": AddressForm(),
        "basket": basket,
        "lines": lines,
        "basket_count": lines.book_count(),
        "addresses": addresses,
        "shipping": shipping,
        **_delivery(request, lines, next((each for each in addresses if each.pk == shipping), None)),
        "billing": _chosen(request, "billing_address", addresses),
        "payment": request.POST.get("payment", ""),
        **ways_to_pay(),
        **context,
    }
    # A choice updates what depends on it, and leaves what is being typed.
    target = request.htmx.target  # type: ignore[attr-defined]
    partial = target if target in ("delivery", "order-totals") else "checkout"
    context["updates"] = partial
    response = render_page(request, "shop/checkout.html", context, partial=partial, status=status)
    return with_pay_button(response)


def _delivery(request: HttpRequest, lines: BasketLineQuerySet, address: Address | None) -> dict[str, Any]:
    """How `lines` may be sent to an address, which way is chosen (or is the cheapest), and what all costs then."""
    rates, books = DeliveryMethod.objects.rates(), lines.total_price()
    offers = rates.offers(address.country, books, lines.weight()) if address else []
    wanted = request.POST.get("delivery_method") or request.GET.get("delivery_method")
    offer = next((offer for offer in offers if str(offer.key) == wanted), offers[0] if offers else FREE)
    return {
        "rates": rates,
        "offers": offers,
        "offer": offer,
        "delivers": bool(offers) or not rates,
        "country": address.get_country_display() if address else "",
        "total": books + offer.price,
    }


def _chosen(request: HttpRequest, name: str, addresses: list[Address]) -> int | None:
    """The address chosen on the page before, or else the newest."""
    keys = [address.pk for address in addresses]
    wanted = request.POST.get(name) or request.GET.get(name)
    return next((key for key in keys if str(key) == wanted), keys[0] if keys else None)


@sent_from("order_address_select")
@login_required
def order_address_create(request: HttpRequest) -> HttpResponse:
    """A new address from the checkout page, which then is the one to deliver to."""
    form = AddressForm(request.POST, instance=Address(user=request.user))  # type: ignore[misc]
    if fragment := live_error(request, form) or changed_country(request, form):
        return fragment
    basket = basket_of(request)
    if not form.is_valid():
        return _checkout_page(request, basket, address_form=form, status=422) if basket else redirect("basket_detail")
    address = form.save()
    if basket is None or not wants_fragment(request):
        return redirect(reverse("order_address_select", query={"shipping_address": address.pk}))
    return _checkout_page(request, basket, shipping=address.pk, saved=address.pk)


@require_safe
@login_required
def order_done(request: HttpRequest) -> HttpResponse:
    order = Order.objects.filter(user=request.user.pk).for_page().first()
    if order is None:
        return redirect("order_list")
    context = {"order": order, "account": order.account(), **ways_to_pay()}
    return with_pay_button(render(request, "shop/order_done.html", context))
