import logging
from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.models import Author, Product, ProductAuthor, ProductImage, ProductTag, Series, StockMove
from shop.values.picture_files import PicturesUnavailable
from staff.admin.actions import Outcome
from staff.admin.forms import FixedOnceSaved, Labelled, LabelledList, PicturesField
from staff.admin.stock import CopiesLeft, CountForm, FollowsCount
from staff.admin_sites import dispatch_admin, office_admin

logger = logging.getLogger(__name__)

# Pictures are found by their books, of which a search takes so many.
MOST_FOUND = 500


def switch(name: str, field: str, value: bool, label: str, done: str) -> Any:
    """A bulk action that sets a yes-or-no field of the chosen products."""

    @admin.action(description=label, permissions=["change"])
    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        outcome = Outcome()
        counted = []
        for product in queryset.only("name", field, "stock"):
            if getattr(product, field) == value:
                outcome.refused["It was so already."].append(product)
            elif field == "in_stock" and product.stock == 0:
                outcome.refused["No copy is left by its count: write how many there are."].append(product)
            else:
                outcome.changed.append(product)
                counted += [product] if field == "in_stock" and product.stock else []
        changed = [product.pk for product in outcome.changed if product not in counted]
        with transaction.atomic():
            # In the sequence in which orders lock them.
            for product in sorted(counted, key=attrgetter("pk")):
                product.set_stock(0, by=request.user, text="Marked as out of stock")
            Product.objects.filter(pk__in=changed).update(**{field: value}, date_updated=timezone.now())
        outcome.report(model_admin, request, done)

    action.__name__ = name
    return action


make_active = switch("make_active", "active", True, "Show in the shop", "made active")
make_inactive = switch("make_inactive", "active", False, "Hide from the shop", "made inactive")
mark_in_stock = switch("mark_in_stock", "in_stock", True, "Mark as in stock", "marked as in stock")
mark_out_of_stock = switch("mark_out_of_stock", "in_stock", False, "Mark as out of stock", "marked as out of stock")


class ProductAuthorForm(FixedOnceSaved):
    fixed = ("author",)


class ProductAuthorInline(Labelled, admin.TabularInline[ProductAuthor, Product]):
    model = ProductAuthor
    form = ProductAuthorForm
    extra = 0
    fields = ("author", "position")
    autocomplete_fields = ("author",)
    verbose_name = "author"
    verbose_name_plural = "authors"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProductAuthor]:
        return super().get_queryset(request).select_related("author", "product")


def thumbnail_tag(image: ProductImage | None) -> SafeString | str:
    if image is None or not image.thumbnail:
        return "–"
    return format_html(
        '<img class="thumb" src="{}" width="{}" height="{}" alt="" loading="lazy">',
        image.thumbnail.url,
        image.thumbnail_width,
        image.thumbnail_height,
    )


class ProductImageInline(Labelled, admin.TabularInline[ProductImage, Product]):
    model = ProductImage
    extra = 0
    fields = ("preview", "image", "position")
    readonly_fields = ("preview",)
    ordering = ("position", "pk")
    classes = ("sortable",)
    verbose_name = "picture"
    verbose_name_plural = "pictures"

    class Media:
        js = ("js/admin-sortable.js",)

    @admin.display(description="")
    def preview(self, image: ProductImage) -> SafeString | str:
        return thumbnail_tag(image)


class ProductForm(CountForm):
    new_pictures = PicturesField(
        ProductImage._meta.get_field("image").formfield(),
        label="Add pictures",
        help_text="Choose as many files as you like; they come after the pictures there are.",
    )

    def clean_new_pictures(self) -> list[ProductImage]:
        pictures = [ProductImage(image=file) for file in self.cleaned_data["new_pictures"]]
        for picture in pictures:
            picture.clean_fields(exclude={"product", "thumbnail"})
        return pictures


class NothingStored(forms.ModelForm[Any]):
    """The form again, once saving what it holds has failed for want of a place for its pictures."""

    def clean(self) -> Any:
        self.add_error(
            None,
            "The pictures could not be stored just now, so nothing was saved. Choose them again and save in a moment.",
        )
        return super().clean()


class StoresPictures(admin.ModelAdmin[Any]):
    """A model admin that says so where pictures cannot be stored."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except PicturesUnavailable as error:
            logger.warning("Pictures not stored: %s", error)
            request.pictures_unavailable = True  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        return type(form.__name__, (NothingStored, form), {}) if hasattr(request, "pictures_unavailable") else form


class ProductAdmin(StoresPictures):
    form = ProductForm
    list_display = ("cover", "name", "by", "price", "active", "in_stock", "stock", "date_updated")
    list_display_links = ("name",)
    list_filter = ("active", "in_stock", CopiesLeft, "format", "tags")
    list_per_page = 50
    search_fields = ("name",)
    search_help_text = "Title, author, series, publisher or ISBN."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    autocomplete_fields = ("tags", "series")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ProductAuthorInline, ProductImageInline)
    actions = (make_active, make_inactive, mark_in_stock, mark_out_of_stock)
    fieldsets = (
        (None, {"fields": ("name", "slug", "description", ("price", "active", "in_stock", "weight"), "tags")}),
        ("Copies", {"fields": (("copies", "count_reason"), "available_from")}),
        (
            "Edition",
            {
                "fields": (
                    ("isbn", "format", "language"),
                    ("publisher", "published", "pages"),
                    ("series", "series_number"),
                )
            },
        ),
        ("Pictures", {"fields": ("new_pictures",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).defer("search_text")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (queryset.search(search_term), False) if search_term.strip() else (queryset, False)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ProductList

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, forbidden, protected = super().get_deleted_objects(objs, request)
        # Nobody deletes a move by itself; it goes with its book.
        return deleted, counts, forbidden - {StockMove._meta.verbose_name}, protected

    @admin.display(description="authors")
    def by(self, product: Product) -> str:
        return product.authors_text

    @admin.display(description="")
    def cover(self, product: Product) -> SafeString | str:
        return thumbnail_tag(next(iter(product.images.all()), None))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.note_count(by=request.user)
        pictures = form.cleaned_data.get("new_pictures") or []
        last = form.instance.images.order_by("-position").values_list("position", flat=True).first() if pictures else 0
        for position, picture in enumerate(pictures, start=(last or 0) + 1):
            picture.product, picture.position = form.instance, position
            picture.save()


class ProductList(ChangeList):
    """Pictures are read for the page alone, not for a search that an action runs over."""

    def get_results(self, request: HttpRequest) -> None:
        self.queryset = self.queryset.prefetch_related("images")
        super().get_results(request)


class DispatchProductAdmin(LabelledList, admin.ModelAdmin[Product]):
    """Whether a book is there to be sent: all that dispatch may say about it."""

    form = FollowsCount
    list_display = ("name", "by", "in_stock", "stock")
    list_editable = ("in_stock",)
    list_filter = ("in_stock",)
    list_per_page = 50
    search_fields = ("name",)
    search_help_text = ProductAdmin.search_help_text
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("name", "by", "isbn")
    fields = ("name", "by", "isbn", "in_stock")
    actions = (mark_in_stock, mark_out_of_stock)
    view_on_site = False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=FollowsCount, **kwargs)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return super().get_queryset(request).defer("search_text")

    get_search_results = ProductAdmin.get_search_results
    by = ProductAdmin.by

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {"in_stock__exact", "in_stock__isnull"}


class TagAdmin(LabelledList, admin.ModelAdmin[ProductTag]):
    """Links point to a tag's slug, and people to its name: once it is there only owners change them."""

    fields = ("name", "slug", "description", "active")
    list_display = ("name", "slug", "active")
    list_editable = ("active",)
    list_filter = ("active",)
    search_fields = ("name", "slug")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None or request.user.is_superuser else ("name", "slug")

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {"slug": ("name",)} if obj is None else {}


class NamedAdmin(admin.ModelAdmin[Any]):
    """Authors and series."""

    list_display = ("name", "slug")
    search_fields = ("name",)
    show_full_result_count = False
    prepopulated_fields = {"slug": ("name",)}


class ImageAdmin(StoresPictures):
    list_display = ("thumbnail_picture", "product_name", "position")
    list_display_links = ("product_name",)
    list_select_related = ("product",)
    search_fields = ("product__name",)
    autocomplete_fields = ("product",)
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description="")
    def thumbnail_picture(self, image: ProductImage) -> SafeString | str:
        return thumbnail_tag(image)

    @admin.display(description="product", ordering="product__sort_name")
    def product_name(self, image: ProductImage) -> str:
        return image.product.name

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        found = Product.objects.search(search_term).values_list("pk", flat=True)[:MOST_FOUND]
        return queryset.filter(product__in=list(found)), False


for site in (admin.site, office_admin):
    site.register(Product, ProductAdmin)
    site.register(ProductTag, TagAdmin)
    site.register([Author, Series], NamedAdmin)
    site.register(ProductImage, ImageAdmin)
dispatch_admin.register(Product, DispatchProductAdmin)
