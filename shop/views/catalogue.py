from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from shop.conditional import conditional_page
from shop.models import Author, Product, ProductTag, Series
from shop.models.catalogue import picture_address
from shop.rendering import render_page, wants_fragment
from shop.shelf import nearest, shelf_page

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
    tags = list(ProductTag.objects.active())
    tag = next((tag for tag in tags if tag.slug == tag_slug), None)
    if tag is None and tag_slug != "all":
        raise Http404("No such subject")
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_QUERY]
    labels = {BEST_MATCH: "Best match", **SORT_LABELS} if query else SORT_LABELS
    default = next(iter(labels))
    sort = request.GET.get("sort", default)
    sort = sort if sort in labels else default
    books = Product.objects.active()
    if tag:
        books = books.filter(tags=tag)
    if query:
        books = books.search(query)
    if sort != BEST_MATCH:
        books = books.sorted(sort)
    shelf = shelf_page(books, request.GET.get("page"), name="" if query else tag_slug)
    fragment = wants_fragment(request)
    context = {
        "heading": heading(tag, query),
        "tags": tags,
        "tag": tag,
        "query": query,
        "sort": sort,
        "sorts": labels.items(),
        "fragment": fragment,
        **shelf,
    }
    response = render_page(request, "shop/product_list.html", context, partial="product-list")
    if fragment:
        chosen = {"q": query, "sort": sort if sort != default else "", "page": shelf["page"].number}
        response.headers["HX-Push-Url"] = address(request.path, chosen)
    return response


def heading(tag: ProductTag | None, query: str) -> str:
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
    product = get_object_or_404(Product.objects.active().for_page(), slug=slug)
    pictures = [
        {**picture, "url": picture_address(picture["image"]), "small": picture_address(picture["thumbnail"])}
        for picture in product.picture_list or []
    ]
    chosen = nearest(request.GET.get("image"), len(pictures) or 1)
    context = {
        "product": product,
        "authors": [Author(**author) for author in product.author_list or []],
        "tags": [ProductTag(**tag) for tag in product.tag_list or []],
        "pictures": pictures,
        "chosen": chosen,
        "picture": pictures[chosen - 1] if pictures else None,
    }
    if not wants_fragment(request):
        context |= reading_on(product)
    return render_page(request, "shop/product_detail.html", context, partial="product-pictures")


def reading_on(product: Product) -> dict[str, Any]:
    """Books for who liked `product`: its series from there on, or where it stands alone more by its first author."""
    others = Product.objects.active().exclude(pk=product.pk).for_cards()
    if product.series and (books := list(others.in_series(product.series, after=product.series_number)[:RELATED])):
        return {"more": books, "more_label": "More in", "more_of": product.series}
    if not product.author_list:
        return {}
    author = Author(**product.author_list[0])
    books = list(others.filter(authors__slug=author.slug).sorted("title")[:RELATED])
    return {"more": books, "more_label": "More by", "more_of": author}


@require_safe
@conditional_page
def author_detail(request: HttpRequest, slug: str) -> HttpResponse:
    author = get_object_or_404(Author, slug=slug)
    books = Product.objects.active().filter(authors=author).sorted("title")
    context = {"author": author, **shelf_page(books, request.GET.get("page"))}
    return render_page(request, "shop/author_detail.html", context, partial="author-books")


@require_safe
@conditional_page
def series_detail(request: HttpRequest, slug: str) -> HttpResponse:
    series = get_object_or_404(Series, slug=slug)
    books = Product.objects.active().in_series(series)
    context = {"series": series, **shelf_page(books, request.GET.get("page"))}
    return render_page(request, "shop/series_detail.html", context, partial="series-books")
