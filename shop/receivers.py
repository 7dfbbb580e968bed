"""What happens on Django's own events, which no verb of a model could announce."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.db import connections
from django.db.models import DateTimeField, Model
from django.db.models.signals import m2m_changed, post_delete, post_migrate, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authtoken.models import Token

from shop.database import catalogue_triggers
from shop.models import Author, CatalogueChange, Product, ProductAuthor, ProductImage, ProductTag, Series, User
from shop.people.known_browsers import log_in_noted
from shop.search.full_text import ensure_sqlite_index
from shop.web.flash_messages import books_named, no_room
from shop.web.session_basket import bring_along


@receiver(m2m_changed, sender=Product.tags.through)
@receiver(m2m_changed, sender=Product.authors.through)
def products_relabelled(
    sender: type[Model], instance: Any, action: str, reverse: bool, pk_set: set[int] | None, **kwargs: Any
) -> None:
    """A product is found by the names of its tags and authors."""
    if action == "pre_clear" and reverse:
        instance._products_cleared = list(instance.products.values_list("pk", flat=True))
    if action not in {"post_add", "post_remove", "post_clear"}:
        return
    if not reverse:
        products: Any = [instance.pk]
    else:
        products = pk_set if pk_set is not None else instance._products_cleared
    Product.objects.filter(pk__in=products).refresh_derived()


@receiver(pre_save)
def fixture_read(sender: type[Model], instance: Any, raw: bool, **kwargs: Any) -> None:
    """A fixture is stored without save(): what it leaves out of our own times becomes the time of now."""
    if not raw or sender._meta.app_label != "shop":
        return
    for field in sender._meta.concrete_fields:
        if isinstance(field, DateTimeField) and getattr(instance, field.attname) is None and not field.null:
            setattr(instance, field.attname, timezone.now())


@receiver(post_save, sender=Product)
def product_read_from_fixture(instance: Product, raw: bool, **kwargs: Any) -> None:
    if raw:
        Product.objects.filter(pk=instance.pk).refresh_derived()


@receiver(post_save, sender=ProductAuthor)
@receiver(post_delete, sender=ProductAuthor)
def author_linked(instance: ProductAuthor, **kwargs: Any) -> None:
    Product.objects.filter(pk=instance.product_id).refresh_derived()


@receiver(pre_delete, sender=ProductTag)
def tag_goes(instance: Any, **kwargs: Any) -> None:
    """The rows between tags and products go with it, and tell nobody: who had it is known now only."""
    instance._products_left = list(instance.products.order_by().values_list("pk", flat=True))


@receiver(post_delete, sender=ProductTag)
def tag_gone(instance: Any, **kwargs: Any) -> None:
    Product.objects.filter(pk__in=instance._products_left).refresh_derived()


@receiver(post_delete, sender=ProductImage)
def picture_removed(instance: ProductImage, **kwargs: Any) -> None:
    instance.discard_files()


@receiver(post_save, sender=ProductTag)
@receiver(post_save, sender=Author)
@receiver(post_save, sender=Series)
def name_changed(instance: Any, created: bool, raw: bool, **kwargs: Any) -> None:
    # A fixture may bring it after the products that it belongs to.
    if raw or not created:
        instance.products.all().refresh_derived()


@receiver(post_migrate)
def sqlite_altered(sender: Any, using: str, **kwargs: Any) -> None:
    connection = connections[using]
    if sender.label == "shop" and connection.vendor == "sqlite":
        ensure_sqlite_index(using)
        if CatalogueChange._meta.db_table in connection.introspection.table_names():
            catalogue_triggers.install(connection)


@receiver(post_save, sender=User)
def password_set(instance: User, created: bool, **kwargs: Any) -> None:
    """A new password, whoever set it, ends the tokens made before; sessions and devices tell by its hash."""
    # Django's own mark of it, until the end of save().
    if not created and instance._password is not None:  # type: ignore[attr-defined]
        Token.objects.filter(user=instance).delete()


@receiver(user_logged_in)
def visitor_logged_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """What was put into the basket before logging in comes along, and the shopper is told; the browser is known now."""
    log_in_noted(request, user)
    lines = bring_along(request, user)
    if brought := books_named((line.quantity, line.product) for line in lines):
        text = f"What you had chosen before logging in is now in your basket: {brought}."
        messages.info(request, text, fail_silently=True)
    if left_out := no_room(lines):
        messages.warning(request, left_out, fail_silently=True)
