from django.http import Http404, HttpRequest, HttpResponse


def order_address_select(request: HttpRequest) -> HttpResponse:
    raise Http404


def order_done(request: HttpRequest) -> HttpResponse:
    raise Http404
