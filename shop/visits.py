"""The visitor behind a request: whose basket it is."""

from django.http import HttpRequest

from shop.models import Basket

SESSION_KEY = "basket_id"


def basket_of(request: HttpRequest) -> Basket | None:
    """The open basket of this user or visitor, or None before anything was put in."""
    if request.user.is_authenticated:
        return Basket.objects.open().filter(user=request.user).first()
    basket_id = request.session.get(SESSION_KEY)
    return Basket.objects.open().filter(user=None, pk=basket_id).first() if basket_id else None
