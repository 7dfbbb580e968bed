from django.http import Http404, HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    raise Http404


def about_us(request: HttpRequest) -> HttpResponse:
    raise Http404


def contact_us(request: HttpRequest) -> HttpResponse:
    raise Http404
