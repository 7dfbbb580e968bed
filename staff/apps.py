from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.db.models.signals import post_migrate, pre_migrate


class StaffConfig(AppConfig):
    name = "staff"
    default = True

    def ready(self) -> None:
        from staff.api import webhooks  # noqa: F401  # connects its receivers
        from staff.reports.sales_triggers import lift_triggers, restore_triggers
        from staff.roles import create_roles

        pre_migrate.connect(lift_triggers, sender=self)
        # After every migration, since permissions are made by then and not before.
        post_migrate.connect(create_roles, sender=self)
        post_migrate.connect(restore_triggers, sender=self)


class BackOffices(admin_apps.AdminConfig):
    """Django's admin, whose default site is the owners': what a library registers, they see."""

    default = False
    default_site = "staff.admin_sites.OwnerSite"
