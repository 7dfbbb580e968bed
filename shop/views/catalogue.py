from django.http import Http404, HttpRequest, HttpResponse


def product_list(request: HttpRequest, tag_slug: str) -> HttpResponse:
    raise Http404


def product_detail(request: HttpRequest, slug: str) -> HttpResponse:
    raise Http404


def author_detail(request: HttpRequest, slug: str) -> HttpResponse:
    raise Http404


def series_detail(request: HttpRequest, slug: str) -> HttpResponse:
    raise Http404
