"""The pages about returns; each is given the office that it stands in. Who gets in: `BackOffice.admits`."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin import AdminSite
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from shop.models import Return
from shop.values.money import money
from staff.office_pages import attempt, page

RETURNS_A_PAGE = 50


class AcceptForm(forms.Form):
    """What goes back for the books, and whether they are sold again."""

    amount = forms.DecimalField(min_value=Decimal(0), max_digits=10, decimal_places=2)
    restock = forms.BooleanField(required=False, label="Put them back into stock, where they are counted")


class RefuseForm(forms.Form):
    answer = forms.CharField(max_length=300, label="Why not", help_text="The shopper reads it, in the mail.")


@require_safe
def return_list(request: HttpRequest, site: AdminSite) -> HttpResponse:
    returns = Return.objects.select_related("order__user").order_by("-pk")
    chosen = request.GET.get("status", "open")
    if chosen == "open":
        # Who waits longest comes first.
        returns = returns.open().order_by("pk")
    elif chosen in Return.Status.values:
        returns = returns.filter(status=chosen)
    context = {
        "title": "Returns",
        "returns": Paginator(returns, RETURNS_A_PAGE).get_page(request.GET.get("page")),
        "chosen": chosen,
        "choices": [("open", "To decide"), *Return.Status.choices[2:], ("all", "All")],
    }
    return page(request, site, "staff/returns/returns.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def return_detail(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """One return; POST `what` is what becomes of it: receive, accept or refuse."""
    moved = get_object_or_404(Return.objects.select_related("order__user", "by"), pk=pk)
    forms_of = {
        "accept": AcceptForm(request.POST if request.POST.get("what") == "accept" else None),
        "refuse": RefuseForm(request.POST if request.POST.get("what") == "refuse" else None),
    }
    if request.method == "POST" and decide(request, moved, forms_of):
        return redirect(reverse("admin:return_list", current_app=site.name))
    if moved.is_open and not forms_of["accept"].is_bound:
        account = moved.order.account()
        left = account.paid - account.refunded - account.on_its_way_back
        forms_of["accept"].initial["amount"] = min(moved.worth(), left)
    context = {
        "title": f"Return {moved.pk} of order {moved.order_id}",
        "moved": moved,
        "lines": moved.lines.annotate(left=F("price") - F("refunded")),
        **{f"{name}_form": form for name, form in forms_of.items()},
        "status": 422 if request.method == "POST" else 200,
    }
    return page(request, site, "staff/returns/return.html", context)


def decide(request: HttpRequest, moved: Return, forms_of: dict[str, Any]) -> bool:
    """Do what was asked; whether the person is done with it, be it that another was faster."""
    what = request.POST.get("what")
    form = forms_of.get(what or "")
    if what == "receive":
        attempt(request, lambda: moved.receive(by=request.user), f"{moved} is noted as received.")
        return True
    if form is None or not form.is_valid():
        return False
    given = form.cleaned_data
    if what == "refuse":
        return attempt(request, lambda: moved.refuse(given["answer"], by=request.user), f"{moved} is refused.")
    done = f"{moved} is accepted: {money(given['amount'])} goes back."
    return attempt(
        request, lambda: moved.accept(by=request.user, restock=given["restock"], amount=given["amount"]), done
    )
