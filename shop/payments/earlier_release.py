"""What the release before this one writes while both run: it knows neither payments, lines as ordered nor parcels."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from shop.models import Order, OrderLine, Payment, VatRate

WITHIN = timedelta(days=7)
SENT_WITHIN = timedelta(days=60)
AT_ONCE = 1000


def mend() -> None:
    """Describe lines, note payments and gather parcels that it left out; what it wrote lately is looked at alone."""
    since = timezone.now() - WITHIN
    lines = OrderLine.objects.filter(name="", order__date_added__gte=since).select_related("order", "product")
    undescribed, rate_for = list(lines[:AT_ONCE]), VatRate.objects.finder()
    for line in undescribed:
        line.describe(rate_for)
    OrderLine.objects.bulk_update(undescribed, [*OrderLine.DESCRIBED, "vat_percent"])
    came = Payment.objects.paid().filter(order=OuterRef("pk"))
    for order in Order.objects.paid_for().filter(~Exists(came), date_updated__gte=since).order_by("pk")[:AT_ONCE]:
        with transaction.atomic():
            order.lock()
            order.record_payment()
    _gather_sent()


@transaction.atomic
def _gather_sent() -> None:
    """What it sent comes into parcels, and the shopper hears of it."""
    since = timezone.now() - SENT_WITHIN
    lines = OrderLine.objects.filter(status=OrderLine.SENT, parcel=None, order__date_added__gte=since).order_by()
    orders = list(lines.values_list("order", flat=True).distinct()[:AT_ONCE])
    if orders:
        Order.objects.filter(pk__in=orders).locked().gather_sent()
