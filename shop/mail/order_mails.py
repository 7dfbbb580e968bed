"""What a shopper is mailed about an order."""

from typing import Any

from django.dispatch import receiver

from shop.mail.outgoing import queue_mail
from shop.models import Company, Order, Refund
from shop.signals import order_cancelled, order_paid, order_placed, refund_done


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


@receiver(order_cancelled)
def tell_cancelled(order: Order, **kwargs: Any) -> None:
    account = order.account()
    mail(order, "cancelled", going_back=account.on_its_way_back + account.refunded)


@receiver(refund_done)
def tell_refunded(refund: Refund, **kwargs: Any) -> None:
    order = refund.payment.order
    mail(order, "refunded", f"-{refund.pk}", amount=refund.amount, reason=refund.reason, by_card=refund.is_by_card)


def mail(order: Order, what: str, which: str = "", **context: Any) -> None:
    """Queue `emails/order_<what>`, once for an order, or for each `which`."""
    about = {"order": order.pk, "first_name": order.user.first_name, "link": order.link()}
    queue_mail(f"order-{what}-{order.pk}{which}", order.user.email, f"order_{what}", {**about, **context})
