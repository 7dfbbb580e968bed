from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from shop.models import BasketLine, Order
from shop.payments.paying import ways_to_pay
from shop.views.payments import with_pay_button
from shop.web.flash_messages import no_room
from shop.web.fragments import render_page
from shop.web.paging import OneQueryPaginator
from shop.web.redirects import sent_from
from shop.web.session_basket import fill_basket

ORDERS_A_PAGE = 10


@require_safe
@login_required
def order_list(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.filter(user=request.user.pk).for_page()
    page = OneQueryPaginator(orders, ORDERS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "pages": page.paginator.get_elided_page_range(page.number)}
    return render_page(request, "shop/orders.html", context, partial="order-list")


@require_safe
@login_required
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.visible_to(request.user).for_page(), pk=pk)
    context = {
        "order": order,
        "parcels": order.contents(),
        "returns": order.returns_shown(),
        "account": order.account(),
        "story": order.story(),
    }
    context |= ways_to_pay()
    return with_pay_button(render_page(request, "shop/order.html", context, partial="order"))


@sent_from("order_detail", "pk")
@login_required
def order_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    try:
        order.cancel(by=request.user)
        messages.success(request, f"Order {order.pk} is cancelled.")
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect(order)


@sent_from("order_detail", "pk")
@login_required
def order_buy_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what was ordered into the basket, as far as it can be bought and finds room."""
    order = get_object_or_404(Order.objects.filter(user=request.user.pk).for_page(), pk=pk)
    wanted = [BasketLine(product=book.line.product, quantity=book.quantity) for book in order.books()]
    lines = fill_basket(order.user, [line for line in wanted if line.is_available])
    if gone := [Truncator(line.product).chars(60) for line in wanted if not line.is_available]:
        more = f" and {len(gone) - 10} more" if len(gone) > 10 else ""
        names = ", ".join(f"“{name}”" for name in gone[:10])
        messages.warning(request, f"Sorry, {names}{more} cannot be bought at the moment.")
    if left_out := no_room(lines):
        messages.warning(request, left_out)
    added = sum(line.quantity for line in lines)
    if added:
        messages.success(request, f"{added} book{'' if added == 1 else 's'} of order {order.pk} went into your basket.")
    return redirect("basket_detail")
