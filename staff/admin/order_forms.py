from typing import Any

from django import forms
from django.utils.text import capfirst

from shop.models import Address, Order, OrderLine
from shop.models.order_progress import Stage
from staff.admin.forms import FixedOnceSaved, offer_countries

LABELS = {field.name: str(field.verbose_name) for field in Address._meta.fields}


def known(now: int, choices: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """The choices with the present one, so that a status that no one knows is shown instead of the first of them."""
    return choices if now in dict(choices) else [(now, f"{now}, which is none: choose another"), *choices]


class OrderForm(forms.ModelForm[Order]):
    """An order moves on by its own rules: a new one can be paid, and its lines make it done."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            kind, _, part = name.partition("_")
            if kind in ("billing", "shipping"):
                field.label = capfirst(LABELS[part])
        offer_countries(self, *(name for name in self.fields if name.endswith("_country")))
        if "status" in self.fields:
            self.offer_status(self.fields["status"])

    def offer_status(self, field: Any) -> None:
        """Where it is, in the words of the lists, and where it may go."""
        order = self.instance
        if order.pk and order.stage == Stage.CANCELLED:
            field.choices = [(order.status, order.state)]
            field.error_messages["invalid_choice"] = f"Order {order.pk} was cancelled: it cannot be paid."
            return
        allowed = {order.status, Order.PAID if order.status == Order.NEW else order.status}
        field.choices = known(order.status, [choice for choice in Order.Status.choices if choice[0] in allowed])


class OrderLineForm(FixedOnceSaved):
    """A line offers what it may become from where it is; its book and its price stay."""

    fixed = ("product",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "price" in self.fields:
            self.fields["price"].required = False
            self.fields["price"].disabled = self.instance.pk is not None
            self.fields["price"].help_text = "Empty: what the book costs now."
        if "status" in self.fields:
            now = self.instance.status
            offered = (now, *OrderLine.next_to(now))
            self.fields["status"].choices = known(  # type: ignore[attr-defined]
                now, [(status.value, status.label) for status in OrderLine.Status if status in offered]
            )
