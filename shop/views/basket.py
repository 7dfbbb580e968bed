from django.http import Http404, HttpRequest, HttpResponse


def basket_detail(request: HttpRequest) -> HttpResponse:
    raise Http404


def basket_add(request: HttpRequest) -> HttpResponse:
    raise Http404


def basket_line_update(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404


def basket_line_remove(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404


def basket_line_restore(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404
