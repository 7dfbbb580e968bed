from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "staff"

    def ready(self) -> None:
        from staff.api import webhooks  # noqa: F401  # connects its receivers
        from staff.roles import create_roles

        # After every migration, since permissions are made by then and not before.
        post_migrate.connect(create_roles, sender=self)
