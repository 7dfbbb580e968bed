"""What a shopper is mailed about an order."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Min
from django.dispatch import receiver

from shop.mail.outgoing import queue_mail, queue_mails
from shop.models import Company, Order, OrderLine, Parcel, Refund, Return
from shop.models.product import BookFormat
from shop.signals import (
    nothing_left,
    order_cancelled,
    order_paid,
    order_placed,
    parcels_sent,
    refund_done,
    return_moved,
)


@receiver(order_placed)
def confirm_order(order: Order, **kwargs: Any) -> None:
    """Mail the shopper what was ordered, and how it is paid."""
    mail(
        order,
        "confirmation",
        books=[
            {"name": book.line.name, "format": book.line.get_format_display().lower(), "quantity": book.quantity}
            | {"total": book.total_price}
            for book in order.books()
        ],
        total=order.grand_total,
        delivery_name=order.delivery_name,
        delivery_days=order.delivery_days,
        delivery_price=order.delivery_price,
        delivery=order.shipping_lines(),
        reference=order.reference,
        bank_details=Company.objects.current().bank_details.splitlines(),
    )


@receiver(order_paid)
def tell_paid(order: Order, **kwargs: Any) -> None:
    mail(order, "paid", paid=order.paid_total)


@receiver(parcels_sent)
def tell_sent(order: Order, parcels: Sequence[Parcel], **kwargs: Any) -> None:
    """Mail the shopper once for each parcel: what is in it now, and where to see how far it is."""
    lines = OrderLine.objects.filter(parcel__in=parcels).order_by()
    books: dict[int | None, list[dict[str, Any]]] = defaultdict(list)
    for row in (
        lines.values("parcel", "name", "format").annotate(quantity=Count("pk"), first=Min("pk")).order_by("first")
    ):
        format = dict(BookFormat.choices).get(row["format"], "")
        books[row["parcel"]].append({"name": row["name"], "format": format.lower(), "quantity": row["quantity"]})
    common = about(order) | {"delivery": order.shipping_lines(), "more_follows": order.lines.open().exists()}
    contexts = {
        f"order-sent-{order.pk}-{parcel.pk}": common | {"parcel": parcel, "books": books[parcel.pk]}
        for parcel in parcels
    }
    queue_mails(order.user.email, "order_sent", contexts)


@receiver([order_cancelled, nothing_left])
def tell_cancelled(order: Order, **kwargs: Any) -> None:
    account = order.account()
    mail(order, "cancelled", going_back=account.on_its_way_back + account.refunded)


@receiver(refund_done)
def tell_refunded(refund: Refund, **kwargs: Any) -> None:
    order = refund.payment.order
    mail(order, "refunded", f"-{refund.pk}", amount=refund.amount, reason=refund.reason, by_card=refund.is_by_card)


@receiver(return_moved)
def tell_return(moved: Return, **kwargs: Any) -> None:
    wording = Company.objects.current().returns if moved.status == Return.Status.ASKED else ""
    mail(moved.order, "return", f"-{moved.pk}-{moved.status}", moved=moved, wording=wording)


def mail(order: Order, what: str, which: str = "", **context: Any) -> None:
    """Queue `emails/order_<what>`, once for an order, or for each `which`."""
    queue_mail(f"order-{what}-{order.pk}{which}", order.user.email, f"order_{what}", {**about(order), **context})


def about(order: Order) -> dict[str, Any]:
    """What every mail about an order says."""
    return {"order": order.pk, "first_name": order.user.first_name, "link": order.link()}
