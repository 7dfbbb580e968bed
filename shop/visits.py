"""The visitor behind a request: whose basket it is."""

from django.db.models import Sum
from django.http import HttpRequest

from shop.models import Basket, BasketLine

SESSION_KEY = "basket_id"


def basket_of(request: HttpRequest) -> Basket | None:
    """The open basket of this user or visitor, or None before anything was put in."""
    if request.user.is_authenticated:
        return Basket.objects.open().filter(user=request.user).first()
    basket_id = request.session.get(SESSION_KEY)
    return Basket.objects.open().filter(user=None, pk=basket_id).first() if basket_id else None


def books_in_basket(request: HttpRequest) -> int:
    """How many books are in it, which stands in every page's header: one query, or none for a new visitor."""
    if request.user.is_authenticated:
        lines = BasketLine.objects.filter(basket__user=request.user)
    elif basket_id := request.session.get(SESSION_KEY):
        lines = BasketLine.objects.filter(basket__user=None, basket=basket_id)
    else:
        return 0
    return lines.filter(basket__status=Basket.OPEN).aggregate(total=Sum("quantity"))["total"] or 0
