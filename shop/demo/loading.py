"""Fills an empty shop with the demo: books and their pictures, people, and what they ordered."""

import csv
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from shop.demo.covers import draw_cover
from shop.demo.people import COMPANY, DELIVERY, PASSWORD, PEOPLE, DemoPerson, Role
from shop.importing import Import
from shop.models import (
    Address,
    Company,
    DeliveryMethod,
    Order,
    OrderEvent,
    OrderLine,
    Parcel,
    Product,
    ProductImage,
    Refund,
    User,
)

BOOKS = Path(__file__).parent / "books.csv"
# Every third book shows two or three more pictures than its front.
BOOKS_BETWEEN_ALBUMS = 3
ORDERS, DAYS = 28, 120
# Of the newest orders what is to go back is still to be sent.
AWAITING_THE_OFFICE = 12
JPEG_QUALITY = 82


def is_loaded() -> bool:
    return User.objects.filter(email=PEOPLE[0].email).exists()


@transaction.atomic
def load_demo() -> None:
    """Load all of it. Raises FileRefused where another import is at work."""
    with tempfile.TemporaryDirectory(prefix="booktime-demo-") as folder:
        covers = Path(folder)
        with BOOKS.open(encoding="utf-8", newline="") as file:
            books = list(csv.DictReader(file))
        for book in books:
            _draw(book, 0, covers / book["image_filename"])
        Import(BOOKS, covers).run()
        for place, book in enumerate(books[::BOOKS_BETWEEN_ALBUMS]):
            _add_pictures(book, 3 if place % 2 else 2, covers)
    Company(**COMPANY).save()
    for method in DELIVERY:
        DeliveryMethod.objects.create(**method)
    # Hashing a password is slow by design, and all have the same one.
    password = make_password(PASSWORD)
    people = {person.email: _sign_up(person, password) for person in PEOPLE}
    _write_history([people[person.email] for person in PEOPLE if person.role is Role.SHOPPER])


def _draw(book: dict[str, str], variant: int, path: Path) -> None:
    draw_cover(book["name"], " & ".join(book["authors"].split("|")), variant).save(path, quality=JPEG_QUALITY)


def _add_pictures(book: dict[str, str], last: int, folder: Path) -> None:
    product = Product.objects.get(isbn=book["isbn"])
    for variant in range(1, last + 1):
        path = folder / "page.jpg"
        _draw(book, variant, path)
        image = ContentFile(path.read_bytes(), name=path.name)
        ProductImage.objects.create(product=product, position=variant, image=image)


def _sign_up(person: DemoPerson, password: str) -> User:
    user = User.objects.create(
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        is_staff=person.role is not Role.SHOPPER,
        is_superuser=person.role is Role.OWNER,
        password=password,
    )
    groups = {Role.EMPLOYEE: User.EMPLOYEES, Role.DISPATCHER: User.DISPATCHERS}
    if person.role in groups:
        user.groups.add(Group.objects.get(name=groups[person.role]))
    for address in person.addresses:
        Address.objects.create(user=user, **vars(address))
    return user


def _write_history(shoppers: list[User]) -> None:
    """Orders of the last months, oldest first, in every state. History is written, not lived: nobody is mailed."""
    dice = Random(1813)  # noqa: S311  # the same shop every time
    now, products = timezone.now(), list(Product.objects.order_by("pk"))
    for number in range(ORDERS):
        age = timedelta(days=DAYS * (1 - number / ORDERS) ** 1.5, hours=dice.uniform(0, 5))
        # The first shopper is the one whom a newcomer logs in as.
        buyer = shoppers[0] if number % 5 == 0 else dice.choice(shoppers)
        order = _order(buyer, dice.choices(products, k=dice.randint(1, 4)), _progress(age, dice))
        placed, changed = now - age, now - age * 0.8
        order.lines.update(date_updated=changed)
        order.payments.update(date_added=placed, date_paid=placed)
        order.events.update(happened_at=placed)
        order.events.filter(kind=OrderEvent.Kind.SENT).update(happened_at=changed)
        order.parcels.update(date_sent=changed)
        order.refunds().update(date_added=changed)
        if number < ORDERS - AWAITING_THE_OFFICE:
            order.refunds().update(status=Refund.Status.DONE, date_done=changed)
        Order.objects.filter(pk=order.pk).update(date_added=placed, date_updated=changed)


def _progress(age: timedelta, dice: Random) -> Sequence[int] | None:
    """The statuses that lines of a paid order of that age may have; None where it is not paid yet."""
    if age > timedelta(days=14):
        return dice.choice([[OrderLine.SENT], [OrderLine.SENT], [OrderLine.SENT, OrderLine.CANCELLED]])
    if age > timedelta(days=5):
        return [OrderLine.SENT, OrderLine.PROCESSING]
    return dice.choice([None, [OrderLine.NEW], [OrderLine.NEW, OrderLine.PROCESSING]])


def _order(buyer: User, products: list[Product], progress: Sequence[int] | None) -> Order:
    address = buyer.addresses.order_by("pk")[0]
    order = Order.objects.create(user=buyer, **Order.texts_of(billing=address, shipping=address))
    lines = OrderLine.objects.bulk_create(
        OrderLine(order=order, product=product, price=product.price) for product in products
    )
    order.tell(OrderEvent.Kind.PLACED, order.grand_total, by=buyer)
    # By statements, not by the verbs, which mail and call webhooks.
    if progress is not None:
        Order.objects.filter(pk=order.pk).update(status=Order.PAID)
        for place, status in enumerate(progress):
            some = order.lines.filter(pk__in=[line.pk for line in lines[place :: len(progress)]])
            some.update(status=status, **(_in_parcel(order) if status == OrderLine.SENT and some else {}))
    elif len(products) == 1:
        order.lines.update(status=OrderLine.CANCELLED)
        Order.objects.filter(pk=order.pk).update(date_cancelled=timezone.now())
    return order


def _in_parcel(order: Order) -> dict[str, Any]:
    """What lines say that left in a parcel of the order's."""
    label = {"carrier": "Royal Mail", "tracking_number": f"BT{1130000 + order.pk:09}GB"}
    parcel = Parcel.objects.create(order=order, **label)
    order.tell(OrderEvent.Kind.SENT, text=parcel.label)
    return {"parcel": parcel, **label}
