"""Sending books of an order back: which may be, for how long, and asking for it."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from shop.models.order_event import OrderEvent
from shop.models.order_line import OrderLine
from shop.models.order_money import OrderMoney
from shop.models.order_return import Return
from shop.models.order_totals import summed_up
from shop.signals import return_moved

if TYPE_CHECKING:
    from shop.models.order_line import OrderLineQuerySet


def returnable_since() -> datetime:
    """When what may be sent back now left at the earliest."""
    return timezone.now() - timedelta(days=settings.RETURN_DAYS)


class OrderReturns(OrderMoney):
    lines: Any
    returns: "models.QuerySet[Return]"

    class Meta:
        abstract = True

    def can_send_back(self) -> bool:
        """Whether anything of it is `returnable`, as its lines were read."""
        return any(
            line.status == OrderLine.SENT
            and line.returned_in_id is None
            and line.parcel is not None
            and line.parcel.date_sent >= returnable_since()
            for line in self.groups()
        )

    def returns_shown(self) -> "list[Return]":
        """What was asked to be sent back; of an order of which nothing was sent that takes no query."""
        sent = any(line.status == OrderLine.SENT for line in self.groups())
        return list(self.returns.all()) if sent else []

    def returnable(self) -> "OrderLineQuerySet":
        """What may be asked to be sent back now: what was sent within RETURN_DAYS, and is in no return."""
        lines: OrderLineQuerySet = self.lines.filter(status=OrderLine.SENT, parcel__date_sent__gte=returnable_since())
        return lines.filter(returned_in=None)

    @transaction.atomic
    def ask_return(self, lines: Collection[int], reason: str, by: Any = None) -> Return:
        """Ask to send these lines back, by their keys.

        Raises ValidationError, and changes nothing, without a line or a reason, and where one of them may not, or not
        any more, be sent back.
        """
        self.lock()
        reason = reason.strip()
        if not reason:
            raise ValidationError("Say why you send it back.", code="no_reason")
        if not lines:
            raise ValidationError("Choose what you send back.", code="nothing")
        chosen = self.returnable().filter(pk__in=lines)
        if len(names := list(chosen.values_list("name", flat=True))) < len(set(lines)):
            raise ValidationError(
                f"Only what was sent within {settings.RETURN_DAYS} days, and was not asked for before, can be sent "
                "back. Look at what you chose once more.",
                code="not_returnable",
            )
        order: Any = self
        asked = Return.objects.create(order=order, books=summed_up(Counter(names)), reason=reason[:500])
        chosen.update(returned_in=asked)
        self.tell(OrderEvent.Kind.RETURN, text=f"asked for: {asked.books}", by=by)
        return_moved.send(Return, moved=asked)
        return asked
