from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shop.conditional import conditional_page
from shop.models import Product, ProductTag

NEW_BOOKS = 12
HERO_BOOKS = 3


@require_safe
@conditional_page
def home(request: HttpRequest) -> HttpResponse:
    books = list(Product.objects.active().sorted("newest").for_cards()[: NEW_BOOKS + HERO_BOOKS])
    hero = [book for book in books if book.cover][:HERO_BOOKS]
    new = [book for book in books if book not in hero][:NEW_BOOKS]
    return render(request, "shop/home.html", {"hero": hero, "new": new, "tags": ProductTag.objects.active()})


def about_us(request: HttpRequest) -> HttpResponse:
    raise Http404


def contact_us(request: HttpRequest) -> HttpResponse:
    raise Http404
