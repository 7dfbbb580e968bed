"""Run in a server's environment with a catalogue: what the neighbours of `benchmarks.neighbours` need, printed as JSON.

A shopper with twenty orders of 100 titles and 500 books and a chat of thousands of messages, thousands of orders by
others, an employee and somebody of the dispatch company, each with a session and a token.
"""

import json
from datetime import timedelta

import benchmarks.django_ready  # isort: skip  # noqa: F401

from django.contrib.auth.models import Permission
from django.utils import timezone

from benchmarks.chat_people import ADDRESS, person, session, token
from shop.models import Order, OrderLine, Product, User
from support.models import ChatMessage

LARGE_ORDERS, ORDERS, MESSAGES = 20, 5_000, 5_000


def orders_of(user: User, number: int) -> list[Order]:
    address = {f"{kind}_{name}": value for kind in ("billing", "shipping") for name, value in ADDRESS.items()}
    return Order.objects.bulk_create([Order(user=user, status=Order.PAID, **address) for _ in range(number)])


def lines_of(order: Order, products: list[Product], copies: int) -> list[OrderLine]:
    return [
        OrderLine(order=order, product=p, price=p.price, status=OrderLine.NEW) for p in products for _ in range(copies)
    ]


def main() -> None:
    products = list(Product.objects.order_by("pk")[:1000])
    shopper, others = person("neighbour@example.com"), person("others@example.com")
    large = orders_of(shopper, LARGE_ORDERS)
    OrderLine.objects.bulk_create(
        [line for n, order in enumerate(large) for line in lines_of(order, products[20 * n : 20 * n + 100], 5)],
        batch_size=2000,
    )
    small = orders_of(others, ORDERS)
    for order in small:
        order.date_added = timezone.now() - timedelta(days=order.pk % 90)
    Order.objects.bulk_update(small, ["date_added"], batch_size=2000)
    OrderLine.objects.bulk_create(
        [line for n, order in enumerate(small) for line in lines_of(order, [products[n % 1000]], 2)], batch_size=5000
    )
    text = "All happy families are alike; each unhappy family is unhappy in its own way. " * 50
    ChatMessage.objects.bulk_create(
        [ChatMessage(order=large[0], sender=shopper, message=text[:4000]) for _ in range(MESSAGES)],
        batch_size=1000,
    )
    employee = person("employee@example.com", User.EMPLOYEES)
    company = person("company@example.com")
    company.user_permissions.set(Permission.objects.filter(codename__in=("change_order", "change_orderline")))
    roles = {"shopper": shopper, "employee": employee, "company": company, "others": others}
    print(
        json.dumps(
            {
                **{name: {"token": token(user), "session": session(user)} for name, user in roles.items()},
                "orders": [order.pk for order in large],
                "product": products[0].pk,
                "slug": products[0].slug,
                "words": [word for product in products for word in product.name.split() if word.isalpha()],
            }
        )
    )


main()
