from django.apps import AppConfig


class ShopConfig(AppConfig):
    name = "shop"

    def ready(self) -> None:
        from shop import receivers  # noqa: F401  # connects them
        from shop.mail import order_mails  # noqa: F401  # connects it
        from shop.payments import refunding, unpaid  # noqa: F401  # connects them
