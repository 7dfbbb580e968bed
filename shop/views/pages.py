from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from shop.browsing.cards import Cards
from shop.browsing.catalogue_cache import catalogue_now
from shop.browsing.listing import cards
from shop.forms import ContactForm, live_error, sent
from shop.models import Product
from shop.models.product import ProductQuerySet
from shop.web.etags import conditional_page
from shop.web.throttle import throttled

NEW_BOOKS = 12
HERO_BOOKS = 3


@require_safe
@conditional_page
def home(request: HttpRequest) -> HttpResponse:
    catalogue = catalogue_now()
    context = {"tags": catalogue.subjects, "company": catalogue.company}
    return render(request, "shop/home.html", {**context, **catalogue.find(books_of_home)})


def books_of_home() -> dict[str, Cards]:
    books = cards(newest, stop=NEW_BOOKS + HERO_BOOKS)
    hero = Cards([book for book in books if book.cover][:HERO_BOOKS])
    return {"hero": hero, "new": Cards([book for book in books if book not in hero][:NEW_BOOKS])}


def newest() -> ProductQuerySet:
    return Product.objects.active().sorted("newest")


def about_us(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/about_us.html")


@throttled("contact")
def contact_us(request: HttpRequest) -> HttpResponse:
    user = request.user
    initial = {"name": user.get_full_name(), "email": user.email} if user.is_authenticated else {}
    form = ContactForm(sent(request), initial=initial)
    if fragment := live_error(request, form):
        return fragment
    if request.method == "POST" and form.is_valid():
        form.send()
        answer = "" if form.cleaned_data["email"] else " Without an e-mail address we cannot answer it."
        messages.success(request, f"Thank you. Your message is on its way to customer service.{answer}")
        return redirect("contact_us")
    return render(request, "shop/contact_us.html", {"form": form})
