from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from shop.forms import sent
from shop.models import Company, Order, OrderLine
from shop.values.money import money
from shop.web.fragments import render_page

GONE = "One of these books cannot be sent back, or not any more. Look at what you chose once more."


class ReturnForm(forms.Form):
    """What of an order is sent back, and why."""

    lines = forms.TypedMultipleChoiceField(
        label="What do you send back?",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose what you send back.", "invalid_choice": GONE},
    )
    reason = forms.CharField(
        label="Why?",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why, in a few words."},
    )

    def __init__(self, order: Order, data: Any = None) -> None:
        super().__init__(data)
        self.order = order
        lines: Any = self.fields["lines"]
        lines.choices = [(line.pk, described(line)) for line in order.returnable().order_by("pk")]

    def ask(self, by: Any) -> None:
        """Ask for the return. What stands against it is an error of the form then."""
        try:
            self.order.ask_return(self.cleaned_data["lines"], self.cleaned_data["reason"], by=by)
        except ValidationError as error:
            self.add_error(None, error)


def described(line: OrderLine) -> str:
    """A copy in a list: "Emma (paperback), £9.50"."""
    kind = f" ({line.get_format_display().lower()})" if line.format else ""
    return f"{line.name}{kind}, {money(line.price)}"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def order_return(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to send books of an order back: which, and why."""
    order = get_object_or_404(Order.objects.visible_to(request.user), pk=pk)
    form = ReturnForm(order, sent(request))
    if request.method == "POST" and form.is_valid():
        form.ask(by=request.user)
        if form.is_valid():
            messages.success(request, "We have your request, and mailed you what to do now.")
            return redirect(order)
    context = {"order": order, "form": form, "wording": Company.objects.current().returns}
    status = 422 if form.is_bound else 200
    return render_page(request, "shop/order_return.html", context, partial="order-return", status=status)
