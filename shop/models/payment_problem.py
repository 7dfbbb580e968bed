from typing import Any, NamedTuple, TypeAlias

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.database.constraints import one_of
from shop.models.payment import Payment
from shop.models.refund import Refund


class ProblemKind(models.TextChoices):
    WRONG_AMOUNT = "wrong_amount", "Another amount than asked for"
    REFUND_REFUSED = "refused", "Refund refused by the provider"
    DISPUTED = "disputed", "Disputed by the cardholder"
    UNKNOWN = "unknown", "Money that belongs to no order"


class WayOut(NamedTuple):
    """A button, and what is noted once it was pressed."""

    name: str
    label: str
    done: str


BOOK = WayOut("book", "Book what came", "What came is booked.")
SEND_BACK = WayOut("send_back", "Send back what came", "What came goes back.")
AGAIN = WayOut("again", "Try again", "The provider is asked once more.")
BY_TRANSFER = WayOut("by_transfer", "I sent it by transfer", "It was sent by transfer.")
OTHERWISE = WayOut("otherwise", "It went back otherwise", "It went back otherwise.")
SEEN = WayOut("seen", "Settled at the provider’s", "It was settled at the provider’s.")


class PaymentProblemQuerySet(models.QuerySet["PaymentProblem"]):
    def open(self) -> "PaymentProblemQuerySet":
        return self.filter(settled_at=None)


class PaymentProblem(models.Model):
    """What a person has to decide about money: the offices list those that are open."""

    Kind: TypeAlias = ProblemKind

    order = models.ForeignKey("shop.Order", on_delete=models.CASCADE, null=True, related_name="payment_problems")
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE, null=True, related_name="problems")
    refund = models.ForeignKey(Refund, on_delete=models.CASCADE, null=True, related_name="problems")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    # What happened, in a sentence.
    text = models.CharField(max_length=300)
    # What came, where that is the question.
    amount = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    # Said again, it is the same.
    key = models.CharField(max_length=300, unique=True)
    noticed_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=300, blank=True)

    objects = PaymentProblemQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [one_of("kind", ProblemKind, "payment_problem_kind_known")]

    def __str__(self) -> str:
        return self.text

    def ways_out(self) -> list[WayOut]:
        """What a person may decide."""
        match self.kind:
            case ProblemKind.WRONG_AMOUNT if self.payment is not None and self.currency == self.payment.currency:
                return [BOOK, SEND_BACK, SEEN]
            case ProblemKind.REFUND_REFUSED:
                return [AGAIN, BY_TRANSFER, OTHERWISE]
        return [SEEN]

    def settle(self, outcome: str, by: Any = None) -> None:
        """It was decided: how, and by whom."""
        self.settled_at, self.settled_by, self.outcome = timezone.now(), by, outcome[:300]
        self.save(update_fields=["settled_at", "settled_by", "outcome"])
