from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from shop.forms import AddressForm, changed_country, live_error, sent
from shop.models import Address, User
from shop.web.fragments import render_page, wants_fragment
from shop.web.redirects import next_url


@login_required
def address_list(request: HttpRequest) -> HttpResponse:
    """The visitor's addresses; `kept` is the one that was not deleted after all."""
    return _list_page(request, kept=request.GET.get("kept"))


def _list_page(request: HttpRequest, **context: Any) -> HttpResponse:
    context["addresses"] = Address.objects.visible_to(request.user)
    return render_page(request, "shop/addresses.html", context, partial="address-list")


@login_required
def address_create(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101  # login_required
    return edit(request, Address(user=request.user, name=request.user.get_full_name()))


@login_required
def address_update(request: HttpRequest, pk: int) -> HttpResponse:
    return edit(request, get_object_or_404(Address.objects.visible_to(request.user), pk=pk))


def edit(request: HttpRequest, address: Address) -> HttpResponse:
    is_new = address.pk is None
    form = AddressForm(sent(request), instance=address)
    if fragment := live_error(request, form) or changed_country(request, form):
        return fragment
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "The address is saved.")
        return redirect(next_url(request, "address_list"))
    status = 422 if request.method == "POST" and wants_fragment(request) else 200
    context = {"form": form, "is_new": is_new, "next": next_url(request)}
    return render_page(request, "shop/address_form.html", context, partial="address-form", status=status)


@login_required
def address_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and delete on POST; past orders keep their own text of the address."""
    address = get_object_or_404(Address.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return render_page(request, "shop/address_delete.html", {"address": address}, partial="address-delete")
    address.delete()
    messages.success(request, f"The address in {address.city} is deleted.")
    return _list_page(request) if wants_fragment(request) else redirect("address_list")
