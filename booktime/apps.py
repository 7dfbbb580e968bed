from django.apps import AppConfig


class BookTimeConfig(AppConfig):
    name = "booktime"

    def ready(self) -> None:
        from booktime import checks  # noqa: F401  # registers them
