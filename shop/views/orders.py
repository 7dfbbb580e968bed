from django.http import Http404, HttpRequest, HttpResponse


def order_list(request: HttpRequest) -> HttpResponse:
    raise Http404


def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404


def order_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404


def order_buy_again(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404
