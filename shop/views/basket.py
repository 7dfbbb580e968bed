from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap

from shop.models import Address, BasketLine, DeliveryMethod, Product
from shop.models.basket_line import BasketLines
from shop.models.delivery_method import FREE
from shop.values.countries import name_of
from shop.web.fragments import render_page, wants_fragment
from shop.web.session_basket import books_in_basket, lines_of, lines_shown, product_to_add, put_in_basket

REMOVED = "basket_removed"


@require_safe
def basket_detail(request: HttpRequest) -> HttpResponse:
    # A removal without JavaScript left here what can be undone; it is offered once.
    removed = request.session.pop(REMOVED, None) if REMOVED in request.session else None
    return _basket_page(request, removed=removed)


def _basket_page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    """The basket as it is now, with what `context` says about what was just done."""
    lines = lines_shown(request)
    context |= {
        **_delivery(request, lines),
        "lines": lines,
        "basket_count": lines.book_count(),
        "unavailable": lines.unavailable(),
        "changed": lines.changed(),
    }
    return render_page(request, "shop/basket.html", context, partial="basket-lines", status=status)


def _delivery(request: HttpRequest, lines: BasketLines) -> dict[str, Any]:
    """The cheapest delivery to the visitor's newest address, at home where there is none, and how it becomes free."""
    rates = DeliveryMethod.objects.rates() if lines else None
    if not rates:
        return {"offer": FREE}
    country = Address.objects.visible_to(request.user).newest_country()
    books, weight = lines.total_price(), lines.weight()
    offers = rates.offers(country, books, weight)
    return {
        "offer": offers[0] if offers else None,
        "missing_for_free": rates.missing_for_free(country, books, weight),
        "country": name_of(country),
    }


@require_POST
def basket_add(request: HttpRequest) -> HttpResponse:
    product = _product_named(request.POST.get("product_id", ""))
    if product is None:
        return _not_added(request, "We do not have that book. Look for another one.", status=404)
    try:
        added = put_in_basket(request, product)
    except ValidationError as error:
        return _refused(request, error, product)
    if added:
        text = format_html(
            '“{}” is in your basket. <a href="{}">See your basket</a>', product, reverse("basket_detail")
        )
        messages.success(request, text)
    else:
        messages.info(
            request, f"You have {BasketLine.MOST} of “{product}” in your basket: that is the most of one book."
        )
    if not wants_fragment(request):
        return redirect(product)
    return _basket_added(request)


def _refused(request: HttpRequest, error: ValidationError, product: Product) -> HttpResponse:
    if error.code != "too_many":
        return _not_added(request, str(error.message), product, status=409)
    answer = _not_added(request, str(error.message), product, status=429)
    answer["Retry-After"] = str((error.params or {})["seconds"])
    return answer


def _product_named(text: str) -> Product | None:
    try:
        return product_to_add(int(text))
    except ValueError:
        return None


def _basket_added(request: HttpRequest, status: int = 200) -> HttpResponse:
    """The header's count and the message, which find their own places, whatever the form's target is."""
    context = {"basket_count": books_in_basket(request)}
    return reswap(render(request, "shop/_basket_added.html", context, status=status), "none")


def _not_added(request: HttpRequest, text: str, product: Product | None = None, *, status: int) -> HttpResponse:
    if wants_fragment(request):
        messages.error(request, text)
        return _basket_added(request, status=422)
    return render(request, "shop/basket_not_added.html", {"text": text, "product": product}, status=status)


def _line_gone(request: HttpRequest) -> HttpResponse:
    """The basket as it is now, for a line that was removed or ordered in another tab (or never was this visitor's)."""
    status = 422 if wants_fragment(request) else 404
    return _basket_page(request, status=status, error="That book is not in your basket any more.")


@require_POST
def basket_line_update(request: HttpRequest, pk: int) -> HttpResponse:
    """`quantity` as typed, one more or fewer of it where a button sent `step`."""
    line = lines_of(request).select_related("basket").filter(pk=pk).first()
    if line is None:
        return _line_gone(request)
    entered = request.POST.get("quantity", "")
    try:
        line.set_quantity(_sum(entered, request.POST.get("step", "0")))
    except ValidationError as error:
        return _basket_page(request, status=422, wrong_line=pk, entered=entered, error=error.message)
    return _basket_page(request, updated=pk) if wants_fragment(request) else redirect("basket_detail")


def _sum(*numbers: str) -> int:
    """The numbers added up; 0, which is no quantity, where one of them is none."""
    try:
        return sum(int(number) for number in numbers)
    except ValueError:
        return 0


@require_POST
def basket_line_remove(request: HttpRequest, pk: int) -> HttpResponse:
    line = lines_of(request).select_related("basket", "product").filter(pk=pk).first()
    if line is None:
        return _line_gone(request)
    removed = {"line": pk, "product": line.product_id, "name": line.product.name, "quantity": line.quantity}
    try:
        line.remove()
    except ValidationError as error:
        return _basket_page(request, status=422, wrong_line=pk, error=error.message)
    if wants_fragment(request):
        return _basket_page(request, removed=removed)
    request.session[REMOVED] = removed
    return redirect("basket_detail")


@require_POST
def basket_line_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a removal: so many of the product as `quantity` says, unless some are there again.

    They stand where they stood: `place` is the line that they were.
    """
    product = get_object_or_404(Product, pk=pk)
    quantity = min(max(_sum(request.POST.get("quantity", "")), 1), BasketLine.MOST)
    try:
        if not lines_of(request).filter(product=product).exists():
            put_in_basket(request, product, quantity)
            for line in lines_of(request).filter(product=product):
                line.move_to(_sum(request.POST.get("place", "")))
    except ValidationError as error:
        return _basket_page(request, status=422, error=error.message)
    return _basket_page(request, restored=pk) if wants_fragment(request) else redirect("basket_detail")
