from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import linebreaks_filter
from django.views.decorators.http import require_safe

from shop.browsing.catalogue_cache import catalogue_now
from shop.browsing.listing import BookPaginator, Books, Subject, cards, copies_left, nearest, product_shown
from shop.database.compiled_queries import Placeholder
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
    # As long as the list is, it is on each of its pages and however it is sorted.
    count = catalogue.find(number_listed, tag, query)
    found = catalogue.find(page_of_list, tag, query, sort, request.GET.get("page"), count)
    context = {
        "heading": heading(tag, query),
        "company": catalogue.company,
        "tags": catalogue.subjects,
        "tag": tag,
        "query": query,
        "sort": sort,
        "sorts": labels.items(),
        **found,
    }
    response = render_page(request, "shop/product_list.html", context, partial="product-list")
    if wants_fragment(request):
        chosen = {"q": query, "sort": sort if sort != default else "", "page": found["page"].number}
        response.headers["HX-Push-Url"] = address(request.path, chosen)
    return response


def number_listed(tag: Subject | None, query: str) -> int:
    return books_of_list(tag, query, "title").count


def page_of_list(tag: Subject | None, query: str, sort: str, number: str | None, count: int) -> dict[str, Any]:
    books = books_of_list(tag, query, sort)
    books.count = count
    return books.shown(number)


def books_of_list(tag: Subject | None, query: str, sort: str) -> BookPaginator:
    words = query_words(query)
    if query and not words:
        return BookPaginator(None)
    values = {f"word_{number}": word for number, word in enumerate(words)}
    return BookPaginator(listed, sort, tag is not None, tuple(values), tag=tag and tag.pk, **values)


def listed(sort: str, of_tag: bool, words: tuple[str, ...]) -> ProductQuerySet:
    books = Product.objects.active()
    if of_tag:
        books = books.filter(tags=Placeholder("tag"))
    if words:
        books = books.matching([Placeholder(word) for word in words])
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
    catalogue = catalogue_now()
    found = catalogue.find(page_of_product, slug)
    pictures = found["pictures"]
    chosen = nearest(request.GET.get("image"), len(pictures) or 1)
    context = {
        **found,
        "few_left": few_left(found["product"]),
        "company": catalogue.company,
        "chosen": chosen,
        "picture": pictures[chosen - 1] if pictures else None,
    }
    return render_page(request, "shop/product_detail.html", context, partial="product-pictures")


def few_left(product: Product) -> int:
    """`Product.few_left` as it is now: what is kept of a counted book does not know of its last sales."""
    if product.stock is None:
        return 0
    return Product(stock=copies_left(product.pk)).few_left


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
    books = cards(more_by_author, stop=RELATED, product=product.pk, author_or_series=author.pk)
    return {"more": books, "more_label": "More by", "more_of": author}


def rest_of_series(numbered: bool) -> ProductQuerySet:
    others = Product.objects.active().exclude(pk=Placeholder("product"))
    return others.in_series(Placeholder("series"), after=Placeholder("number") if numbered else None)


def more_by_author() -> ProductQuerySet:
    return by_author().exclude(pk=Placeholder("product"))


@require_safe
@conditional_page
def author_detail(request: HttpRequest, slug: str) -> HttpResponse:
    return author_or_series(request, Author, by_author, slug)


def by_author() -> ProductQuerySet:
    return Product.objects.active().filter(authors=Placeholder("author_or_series")).sorted("title")


@require_safe
@conditional_page
def series_detail(request: HttpRequest, slug: str) -> HttpResponse:
    return author_or_series(request, Series, of_series, slug)


def of_series() -> ProductQuerySet:
    return Product.objects.active().in_series(Placeholder("author_or_series"))


def author_or_series(request: HttpRequest, model: type[Author | Series], books: Books, slug: str) -> HttpResponse:
    catalogue = catalogue_now()
    found = catalogue.find(page_of_author_or_series, model, books, slug, request.GET.get("page"))
    context = {**found, "company": catalogue.company}
    return render_page(request, "shop/author_or_series.html", context, partial="their-books")


def page_of_author_or_series(
    model: type[Author | Series], books: Books, slug: str, number: str | None
) -> dict[str, Any]:
    found = get_object_or_404(model, slug=slug)
    paginator = BookPaginator(books, author_or_series=found.pk)
    return {"author_or_series": found, "is_series": model is Series, **paginator.shown(number)}
