from django.http import Http404, HttpRequest, HttpResponse


def signup(request: HttpRequest) -> HttpResponse:
    raise Http404


def login(request: HttpRequest) -> HttpResponse:
    raise Http404


def logout(request: HttpRequest) -> HttpResponse:
    raise Http404


def password_change(request: HttpRequest) -> HttpResponse:
    raise Http404


def password_reset(request: HttpRequest) -> HttpResponse:
    raise Http404
