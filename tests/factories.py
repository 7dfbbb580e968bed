from decimal import Decimal

import factory

from shop.models import Address, Author, Basket, BasketLine, Order, OrderLine, Product, ProductTag, Series, User

PASSWORD = "correct-horse-battery"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = factory.django.Password(PASSWORD)


class AddressFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Address

    user = factory.SubFactory(UserFactory)
    name = "Jane Eyre"
    address1 = "1 Thornfield Road"
    zip_code = "LS1 4AP"
    city = "Leeds"
    country = "uk"


class ProductTagFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProductTag

    name = factory.Sequence(lambda n: f"Tag {n}")


class AuthorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Author

    name = factory.Sequence(lambda n: f"Author {n}")


class SeriesFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Series

    name = factory.Sequence(lambda n: f"Series {n}")


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    name = factory.Sequence(lambda n: f"Book {n}")
    price = Decimal("10.00")


class BasketFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Basket

    user = factory.SubFactory(UserFactory)


class BasketLineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = BasketLine

    basket = factory.SubFactory(BasketFactory)
    product = factory.SubFactory(ProductFactory)
    quantity = 1


class OrderFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Order

    user = factory.SubFactory(UserFactory)
    billing_name = shipping_name = "Jane Eyre"
    billing_address1 = shipping_address1 = "1 Thornfield Road"
    billing_zip_code = shipping_zip_code = "LS1 4AP"
    billing_city = shipping_city = "Leeds"
    billing_country = shipping_country = "uk"


class OrderLineFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OrderLine

    order = factory.SubFactory(OrderFactory)
    product = factory.SubFactory(ProductFactory)
    price = Decimal("10.00")
