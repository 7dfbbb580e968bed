from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from shop.forms import ContactForm, live_error


def home(request: HttpRequest) -> HttpResponse:
    raise Http404


def about_us(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/about_us.html")


def contact_us(request: HttpRequest) -> HttpResponse:
    user = request.user
    initial = {"name": user.get_full_name(), "email": user.email} if user.is_authenticated else {}
    form = ContactForm(request.POST or None, initial=initial)
    if fragment := live_error(request, form):
        return fragment
    if request.method == "POST" and form.is_valid():
        form.send()
        messages.success(request, "Thank you. Your message is on its way to customer service.")
        return redirect("contact_us")
    return render(request, "shop/contact_us.html", {"form": form})
