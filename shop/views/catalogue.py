from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import linebreaks_filter
from django.views.decorators.http import require_safe

from shop.browsing.catalogue_cache import catalogue_now
from shop.browsing.listing import Shelf, Subject, cards, nearest, product_shown
from shop.database.compiled_queries import Slot
from shop.models import Author, Product, ProductTag, Series
from shop.models.covers import picture_address
from shop.models.product import ProductQuerySet
from shop.search.folding import query_words
from shop.web.etags import conditional_page
from shop.web.fragments import render_page, wants_fragment

# In place of a subject's slug: the books of every one.
ALL = "all"
BEST_MATCH = "match"
SORT_LABELS = {
    "title": "Title",
    "newest": "Newest",
    "price": "Price, low to high",
    "-price": "Price, high to low",
}
LONGEST_QUERY = 200
RELATED = 6


@require_safe
@conditional_page
def product_list(request: HttpRequest, tag_slug: str) -> HttpResponse:
    catalogue = catalogue_now()
    tag = next((tag for tag in catalogue.subjects if tag.slug == tag_slug), None) if tag_slug != ALL else None
    if tag is None and tag_slug != ALL:
        raise Http404("No such subject")
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_QUERY]
    labels = {BEST_MATCH: "Best match", **SORT_LABELS} if query else SORT_LABELS
    default = next(iter(labels))
    sort = request.GET.get("sort", default)
    sort = sort if sort in labels else default
    shelf = catalogue.find(page_of_list, tag, query, sort, request.GET.get("page"))
    context = {
        "heading": heading(tag, query),
        "tags": catalogue.subjects,
        "tag": tag,
        "query": query,
        "sort": sort,
        "sorts": labels.items(),
        **shelf,
    }
    response = render_page(request, "shop/product_list.html", context, partial="product-list")
    if wants_fragment(request):
        chosen = {"q": query, "sort": sort if sort != default else "", "page": shelf["page"].number}
        response.headers["HX-Push-Url"] = address(request.path, chosen)
    return response


def page_of_list(tag: Subject | None, query: str, sort: str, number: str | None) -> dict[str, Any]:
    words = query_words(query)
    if query and not words:
        return Shelf(None).shown(number)
    values = {f"word_{number}": word for number, word in enumerate(words)}
    return Shelf(listed, sort, tag is not None, tuple(values), tag=tag and tag.pk, **values).shown(number)


def listed(sort: str, of_tag: bool, words: tuple[str, ...]) -> ProductQuerySet:
    books = Product.objects.active()
    if of_tag:
        books = books.filter(tags=Slot("tag"))
    if words:
        books = books.matching([Slot(word) for word in words])
    return books if sort == BEST_MATCH else books.sorted(sort)


def heading(tag: Subject | None, query: str) -> str:
    if query:
        return f"“{query}” in {tag.name}" if tag else f"Books for “{query}”"
    return tag.name if tag else "All books"


def address(path: str, chosen: dict[str, str | int]) -> str:
    """`path` with what was chosen, leaving out what goes without saying: "/products/all/?q=emma&page=2"."""
    said = {name: value for name, value in chosen.items() if value and (name, value) != ("page", 1)}
    return f"{path}?{urlencode(said)}" if said else path


@require_safe
@conditional_page
def product_detail(request: HttpRequest, slug: str) -> HttpResponse:
    found = catalogue_now().find(page_of_product, slug)
    pictures = found["pictures"]
    chosen = nearest(request.GET.get("image"), len(pictures) or 1)
    context = {**found, "chosen": chosen, "picture": pictures[chosen - 1] if pictures else None}
    return render_page(request, "shop/product_detail.html", context, partial="product-pictures")


def page_of_product(slug: str) -> dict[str, Any]:
    product = product_shown(slug)
    if product is None:
        raise Http404("No such book")
    tags = product.tag_list or []
    return {
        "product": product,
        "description": linebreaks_filter(product.description) if product.description else "",
        "facts": product.facts(),
        "authors": [Author(**author) for author in product.author_list or []],
        "tags": [_subject(tag) for tag in tags],
        # What says most of it, and first where they say the same.
        "subject": _subject(min(tags, key=lambda tag: tag["books"])) if tags else None,
        "pictures": [
            {**picture, "url": picture_address(picture["image"]), "small": picture_address(picture["thumbnail"])}
            for picture in product.picture_list or []
        ],
        **reading_on(product),
    }


def _subject(tag: dict[str, Any]) -> ProductTag:
    return ProductTag(name=tag["name"], slug=tag["slug"])


def reading_on(product: Product) -> dict[str, Any]:
    """Books for who liked `product`: its series from there on, or where it stands alone more by its first author."""
    values: dict[str, Any] = {"product": product.pk, "series": product.series_id, "number": product.series_number}
    if product.has_companions:
        books = cards(rest_of_series, product.series_number is not None, stop=RELATED, **values)
        return {"more": books, "more_label": "More in", "more_of": product.series}
    if not product.author_list:
        return {}
    author = Author(**product.author_list[0])
    books = cards(more_by_author, stop=RELATED, product=product.pk, author=author.pk)
    return {"more": books, "more_label": "More by", "more_of": author}


def rest_of_series(numbered: bool) -> ProductQuerySet:
    others = Product.objects.active().exclude(pk=Slot("product"))
    return others.in_series(Slot("series"), after=Slot("number") if numbered else None)


def more_by_author() -> ProductQuerySet:
    others = Product.objects.active().exclude(pk=Slot("product"))
    return others.filter(authors=Slot("author")).sorted("title")


@require_safe
@conditional_page
def author_detail(request: HttpRequest, slug: str) -> HttpResponse:
    context = catalogue_now().find(page_of_author, slug, request.GET.get("page"))
    return render_page(request, "shop/author_detail.html", context, partial="author-books")


def page_of_author(slug: str, number: str | None) -> dict[str, Any]:
    author = get_object_or_404(Author, slug=slug)
    return {"author": author, **Shelf(by_author, author=author.pk).shown(number)}


def by_author() -> ProductQuerySet:
    return Product.objects.active().filter(authors=Slot("author")).sorted("title")


@require_safe
@conditional_page
def series_detail(request: HttpRequest, slug: str) -> HttpResponse:
    context = catalogue_now().find(page_of_series, slug, request.GET.get("page"))
    return render_page(request, "shop/series_detail.html", context, partial="series-books")


def page_of_series(slug: str, number: str | None) -> dict[str, Any]:
    series = get_object_or_404(Series, slug=slug)
    return {"series": series, **Shelf(of_series, series=series.pk).shown(number)}


def of_series() -> ProductQuerySet:
    return Product.objects.active().in_series(Slot("series"))
