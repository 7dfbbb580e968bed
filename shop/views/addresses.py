from django.http import Http404, HttpRequest, HttpResponse


def address_list(request: HttpRequest) -> HttpResponse:
    raise Http404


def address_create(request: HttpRequest) -> HttpResponse:
    raise Http404


def address_update(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404


def address_delete(request: HttpRequest, pk: int) -> HttpResponse:
    raise Http404
