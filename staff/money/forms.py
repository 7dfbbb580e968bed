from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import F

from shop.models import Order, OrderLine
from shop.values.money import ZERO


class Amount(forms.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_digits=10, decimal_places=2, **kwargs)


class Seen(forms.Form):
    """What a person does about money as they saw it: pressed twice, or meanwhile by another, it is done once."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class ReceivedForm(Seen):
    """Money that came in by transfer."""

    amount = Amount()

    def __init__(self, data: Any = None) -> None:
        # Beside another form, whose amount has an id, too.
        super().__init__(data, auto_id="received_%s")


class RefundForm(Seen):
    """What goes back, and why: for books, or any amount."""

    lines = forms.ModelMultipleChoiceField(
        OrderLine.objects.none(),
        required=False,
        label="For these books, which were sent",
        widget=forms.CheckboxSelectMultiple,
    )
    amount = Amount(required=False, help_text="Empty: what the chosen books cost.")
    reason = forms.CharField(max_length=300, help_text="The shopper reads it, in the mail and on the credit note.")

    def __init__(self, order: Order, data: Any = None) -> None:
        super().__init__(data)
        lines: Any = self.fields["lines"]
        lines.queryset = order.lines.filter(status=OrderLine.SENT, refunded__lt=F("price"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("amount") and not cleaned.get("lines"):
            raise forms.ValidationError("Choose books, or write an amount.")
        return cleaned

    @property
    def total(self) -> Decimal:
        chosen: Decimal = sum((line.price - line.refunded for line in self.cleaned_data["lines"]), ZERO)
        return self.cleaned_data["amount"] or chosen


class StatementForm(forms.Form):
    statement = forms.CharField(
        max_length=200_000,
        strip=False,
        label="Bank statement",
        help_text="A line for each payment: date, amount, text. Commas, semicolons or tabs part them.",
        widget=forms.Textarea(attrs={"rows": 12, "cols": 90, "spellcheck": "false"}),
    )
