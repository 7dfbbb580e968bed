"""Every address of the site, read from its own URL patterns, so that a new page is tested the moment it exists.

    for path in every_address(a_shop(alice)):
        client.get(path)

A pattern with a parameter that nothing here stands for fails with a KeyError that names it.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.urls import URLPattern, get_resolver
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_tasks_db.models import DBTaskResult
from PIL import Image
from rest_framework.authtoken.models import TokenProxy

from shop.models import CardDeskSession, DeliveryMethod, Order, PaymentProblem, Product, ProductImage, Refund, User
from staff.models import Webhook, WebhookDelivery
from support.models import Chat, DeviceToken
from tests.factories import (
    AddressFactory,
    AuthorFactory,
    BasketFactory,
    BasketLineFactory,
    OrderFactory,
    OrderLineFactory,
    ProductTagFactory,
    SeriesFactory,
)

PARAMETER = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)|<(?:\w+:)?(\w+)>")
MODEL_OF_OFFICE = re.compile(r"(?:\w+-)?admin/\w+/(\w+)/")

# Where a parameter's name alone does not say what it is: the beginning of the pattern does.
Values = dict[str, object]
Shop = dict[str, Values]


def picture(name: str = "cover.jpg") -> SimpleUploadedFile:
    file = BytesIO()
    Image.new("RGB", (40, 60), "navy").save(file, "JPEG")
    return SimpleUploadedFile(name, file.getvalue())


def a_shop(person: User) -> Shop:
    """One of everything, as far as it can be somebody's `person`'s; what stands in an address, by its beginning."""
    author, series, tag = AuthorFactory(), SeriesFactory(), ProductTagFactory()
    line = BasketLineFactory(basket=BasketFactory(user=person))
    book: Product = line.product
    image = ProductImage.objects.create(product=book, image=picture())
    order = OrderFactory(user=person, status=Order.PAID)
    order_line = OrderLineFactory(order=order, product=book)
    message, _ = Chat.objects.of(order).post(person, "Where is it?")
    webhook = Webhook.objects.create(url="https://parcels.example/hook")
    objects: list[Model] = [author, series, tag, book, image, order, line.basket, person, message, webhook]
    objects += [
        AddressFactory(user=person),
        DeliveryMethod.objects.create(name="Post", price=3, free_from=50, countries=["ie", "uk"]),
        Group.objects.create(name="Packers"),
        WebhookDelivery.objects.create(webhook=webhook, kind="order.paid", order=order, next_attempt=None),
        TokenProxy.objects.create(user=person),
        AccessAttempt.objects.create(ip_address="192.0.2.1", username="x", failures_since_start=1),
        AccessLog.objects.create(ip_address="192.0.2.1"),
        AccessFailureLog.objects.create(ip_address="192.0.2.1"),
        DBTaskResult.objects.create(
            args_kwargs={"args": [], "kwargs": {}}, task_path="shop.mail.outgoing.deliver", backend_name="default"
        ),
    ]
    keys = {each._meta.model_name or "": each.pk for each in objects}
    payment = order.payments.create(method="card", amount=1, reference="desk_1", status="paid")
    CardDeskSession.objects.create(payment=payment, reference="desk_1", back="/", given_up="/")
    refund = Refund.objects.create(payment=payment, amount=1, reason="Torn")
    problem = PaymentProblem.objects.create(kind="disputed", text="Disputed", key="1")
    device, _ = DeviceToken.objects.issue(person, "Phone")
    return {
        "": {
            "app_label": "shop",
            "url": "nowhere",
            "content_type_id": 1,
            "object_id": 1,
            "pk": order.pk,
            "slug": book.slug,
            "number": refund.number,
        },
        "payments/card-desk/": {"reference": "desk_1"},
        "admin/money/refunds/": {"pk": refund.pk},
        "office-admin/money/refunds/": {"pk": refund.pk},
        "admin/money/problems/": {"pk": problem.pk},
        "office-admin/money/problems/": {"pk": problem.pk},
        "media/": {"folder": ProductImage.THUMBNAILS, "name": image.thumbnail.name.rpartition("/")[2]},
        "products/": {"tag_slug": tag.slug},
        "author/": {"slug": author.slug},
        "series/": {"slug": series.slug},
        "basket/lines/": {"pk": line.pk},
        "basket/products/": {"pk": book.pk},
        "address/": {"pk": keys["address"]},
        "account/devices/": {"pk": device.pk},
        "api/orderlines/": {"pk": order_line.pk},
        "password-reset/": {
            "uidb64": urlsafe_base64_encode(force_bytes(person.pk)),
            "token": default_token_generator.make_token(person),
        },
        "models": dict(keys),
    }


def every_address(shop: Shop) -> list[str]:
    """The path of each pattern, once."""
    paths = (filled(pattern, shop) for pattern in patterns(get_resolver().url_patterns))
    return list(dict.fromkeys(path for path in paths if path is not None))


def patterns(entries: Any, prefix: str = "") -> Iterator[str]:
    for entry in entries:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield pattern
        else:
            yield from patterns(entry.url_patterns, pattern)


def filled(pattern: str, shop: Shop) -> str:
    """`orders/<int:pk>/` -> /orders/17/"""
    values = dict(shop[""])
    if model := MODEL_OF_OFFICE.match(pattern):
        values |= dict.fromkeys(("object_id", "id"), shop["models"].get(model[1], "no-such-model"))
    for beginning, more in shop.items():
        if beginning and pattern.startswith(beginning):
            values |= more
    path = PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), pattern)
    return "/" + re.sub(r"[\^$]", "", path)
