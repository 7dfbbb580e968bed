from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, TypeAlias

from django.apps import apps
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Cast
from django.utils import timezone

from shop.database.compiled_queries import Placeholder
from shop.database.constraints import Check, one_of
from shop.database.json_columns import ActiveTags, Authors, Cover, Pictures
from shop.database.slugs import free_slugs
from shop.models.counted import Counted
from shop.models.covers import picture_address
from shop.models.taxonomy import Author, Named, ProductTag, Series
from shop.search.folding import fold, query_words
from shop.search.full_text import Matches, Relevance
from shop.values.isbn import normalise_isbn, validate_isbn
from shop.values.languages import language_name

models.TextField.register_lookup(Matches)


class Today(models.Expression):
    """The shop's day when the database is asked: a queryset may be older."""

    output_field = models.DateField()

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [connection.ops.adapt_datefield_value(timezone.localdate())]


class ProductQuerySet(models.QuerySet["Product"]):
    # Each is an index of Product, read from either end.
    SORTS: ClassVar[dict[str, tuple[str, ...]]] = {
        "title": ("sort_name", "pk"),
        "price": ("price", "pk"),
        "-price": ("-price", "-pk"),
        "newest": ("-pk",),
    }

    def active(self) -> "ProductQuerySet":
        return self.filter(active=True)

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's own; products without a slug get one, and those not derived yet are found by their words."""
        products = list(objs)
        nameless = [product for product in products if not product.slug]
        for product, slug in zip(nameless, free_slugs(Product, (each.name for each in nameless)), strict=True):
            product.slug = slug
        for product in products:
            if not product.search_text:
                product.settle([], [])
            if product.stock is not None:
                product.in_stock = product.stock > 0
        with transaction.atomic():
            stored = super().bulk_create(products, *args, **kwargs)
            if not kwargs.get("update_conflicts"):
                apps.get_model("shop.StockMove").objects.note_counts(stored)
                for product in products:
                    product.note_read()
            written = set(kwargs.get("update_fields") or ())
            if written & Product.DERIVED_FROM and not written.issuperset(Product.DERIVED):
                Product.objects.filter(slug__in=[product.slug for product in products]).refresh_derived()
        return stored

    def update(self, **values: Any) -> int:
        """Django's own; what is derived of the products follows. A book that is counted is in stock as its count is."""
        if "stock" in values:
            stock = values.pop("stock")
            if not isinstance(stock, int | None):
                raise TypeError("Counts are numbers, or None, and set one by one: see Product.set_stock().")
            with transaction.atomic():
                products = list(self.order_by("pk").select_for_update())
                for product in products:
                    product.set_stock(stock)
                recounted = Product.objects.filter(pk__in=[product.pk for product in products])
                return recounted.update(**values) if values else len(products)
        if "in_stock" in values:
            counted = models.When(stock__isnull=False, then=models.Q(stock__gt=0))
            values["in_stock"] = models.Case(counted, default=values["in_stock"])
        if Product.DERIVED_FROM.isdisjoint(values):
            return super().update(**values)
        with transaction.atomic():
            changed = list(self.order_by().values_list("pk", flat=True))
            updated = super().update(**values)
            Product.objects.filter(pk__in=changed).refresh_derived()
        return updated

    def waiting(self) -> "ProductQuerySet":
        """Those that are ordered before they can be sent (`available_from`)."""
        return self.filter(available_from__gt=Today())

    def keep_counts(self, before: Mapping[int, int | None], now: Mapping[int, int | None]) -> None:
        """Store the counts that the ledger of copies came to, by the keys of the books; needs their locks.

        Whether a book is in stock follows its count. Only where that turns, what is kept of the catalogue is read anew.
        """
        changes: dict[Any, dict[int, int | None]] = defaultdict(dict)
        for pk, stock in now.items():
            goes_on = None not in (before[pk], stock) and bool(before[pk]) == bool(stock)
            changes[None if goes_on else models.F("in_stock") if stock is None else stock > 0][pk] = stock
        for in_stock, counts in changes.items():
            cases = [models.When(pk=pk, then=models.Value(stock)) for pk, stock in counts.items()]
            # PostgreSQL takes a case of nothing but NULL for a text.
            values: dict[str, Any] = {"stock": Cast(models.Case(*cases), models.IntegerField())}
            if in_stock is not None:
                values |= {"in_stock": in_stock, "date_updated": timezone.now()}
            super(ProductQuerySet, self.filter(pk__in=counts)).update(**values)

    def search(self, text: str) -> "ProductQuerySet":
        """The products that hold every word of `text`, best match first.

        A word may be the beginning of a longer one; accents, case and an ISBN's hyphens do not matter. A text
        without a single word finds nothing.
        """
        words = query_words(text)
        return self.matching(words) if words else self.none()

    def matching(self, words: "Sequence[str | Placeholder]") -> "ProductQuerySet":
        """`search` for words that `shop.search.folding.query_words` found, at least one."""
        return self.filter(search_text__matches=words).order_by(Relevance(words).desc(), "sort_name", "pk")

    def with_cover(self) -> "ProductQuerySet":
        """Each with `cover`: {"name", "width", "height"} of its first picture's thumbnail, or None."""
        return self.annotate(cover=Cover())

    def derived_anew(self) -> "Iterator[tuple[Product, dict[str, str]]]":
        """Each with its derived fields as its relations are now, and beside it those that are stored."""
        links = models.Prefetch("author_links", ProductAuthor.objects.select_related("author"))
        products = self.select_related("series").prefetch_related(links, "tags").order_by("pk")
        for product in products.iterator(chunk_size=500):
            stored = {name: getattr(product, name) for name in Product.DERIVED}
            names = [link.author.name for link in product.author_links.all()]
            product.derive(names, [tag.name for tag in product.tags.all()])
            yield product, stored

    def refresh_derived(self) -> None:
        """Bring search, title sorting and the text of cards up to date after authors, tags or series changed."""
        with transaction.atomic():
            for product, stored in self.derived_anew():
                derived = {name: getattr(product, name) for name in Product.DERIVED}
                if derived != stored:
                    Product.objects.filter(pk=product.pk).update(**derived)

    def sorted(self, sort: str) -> "ProductQuerySet":
        """In one of the orders of `SORTS`."""
        return self.order_by(*self.SORTS[sort])

    def in_series(
        self, series: "Series | Placeholder", after: "Decimal | Placeholder | None" = None
    ) -> "ProductQuerySet":
        """Those of a series in its order, one without a number last; with `after`, those beyond that number first."""
        order: list[Any] = [models.F("series_number").asc(nulls_last=True), "sort_name", "pk"]
        if after is not None:
            beyond = models.Q(series_number__gt=after)
            order.insert(0, models.Case(models.When(beyond, then=0), default=1))
        return self.filter(series=series).order_by(*order)

    def cards(self, start: int, stop: int) -> "ProductQuerySet":
        """Those from `start` to `stop` with the `cover` that a card shows, in the same order.

        They are cut out first: a database looks for the cover of each row that it skips, too.
        """
        if not start:
            return self.with_cover()[:stop]
        wanted = self.values("pk")[start:stop]
        return Product.objects.filter(pk__in=wanted).with_cover().order_by(*self.query.order_by)

    def for_page(self) -> "ProductQuerySet":
        """With all that a product's own page shows, in one query.

        That is `author_list`, `tag_list` and `picture_list` (see `json_columns`), and `has_companions`: whether there
        is another active one of its series.
        """
        companions = Product.objects.active().filter(series=OuterRef("series")).exclude(pk=OuterRef("pk"))
        return self.annotate(
            author_list=Authors(), tag_list=ActiveTags(), picture_list=Pictures(), has_companions=Exists(companions)
        )


class BookFormat(models.TextChoices):
    HARDCOVER = "hardcover", "Hardcover"
    PAPERBACK = "paperback", "Paperback"
    EBOOK = "ebook", "E-book"
    AUDIOBOOK = "audiobook", "Audiobook"


class Product(Named, Counted):
    detail_view = "product_detail"
    Format: TypeAlias = BookFormat

    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    active = models.BooleanField(default=True)
    weight = models.PositiveIntegerField("weight in grams", null=True, blank=True, help_text="As it is packed.")
    date_added = models.DateTimeField(auto_now_add=True)
    date_updated = models.DateTimeField(auto_now=True)
    tags = models.ManyToManyField(ProductTag, related_name="products", blank=True)

    isbn = models.CharField("ISBN", max_length=17, unique=True, null=True, blank=True, validators=[validate_isbn])
    authors = models.ManyToManyField(Author, through="ProductAuthor", related_name="products", blank=True)
    publisher = models.CharField(max_length=120, blank=True)
    published = models.SmallIntegerField(
        "year of publication", null=True, blank=True, help_text="A year before Christ is negative."
    )
    language = models.CharField(
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[a-z]{2,3}$", "Write the ISO 639 code in small letters, such as en or fil.")],
        help_text="ISO 639 code, such as en.",
    )
    format = models.CharField(max_length=10, choices=Format.choices, blank=True)
    pages = models.PositiveIntegerField(null=True, blank=True)
    series = models.ForeignKey(Series, on_delete=models.PROTECT, null=True, blank=True, related_name="products")
    series_number = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)

    # Given by with_cover() and for_page().
    cover: dict[str, Any] | None
    author_list: list[dict[str, Any]] | None
    tag_list: list[dict[str, Any]] | None
    picture_list: list[dict[str, Any]] | None
    has_companions: bool

    # Made from the other fields and relations, so that a list of books needs one query.
    DERIVED = ("authors_text", "series_text", "sort_name", "search_text")
    DERIVED_FROM = frozenset(("name", "description", "isbn", "publisher", "series", "series_id", "series_number"))
    authors_text = models.CharField(max_length=500, blank=True, editable=False)
    series_text = models.CharField(max_length=220, blank=True, editable=False)
    sort_name = models.CharField(max_length=100, blank=True, editable=False)
    search_text = models.TextField(blank=True, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("sort_name", "pk")
        # Relations write by it: series.products.add(book) changes what the book is found by.
        base_manager_name = "objects"
        constraints = [
            Check(name="product_price_above_zero", condition=models.Q(price__gt=0)),
            one_of("format", BookFormat, "product_format_known", blank=True),
            Check(
                name="product_in_stock_as_counted",
                condition=models.Q(stock=None)
                | models.Q(stock=0, in_stock=False)
                | models.Q(stock__gt=0, in_stock=True),
            ),
        ]
        indexes = [
            models.Index(
                models.F("sort_name"), models.F("id"), name="product_by_name", condition=models.Q(active=True)
            ),
            models.Index(models.F("price"), models.F("id"), name="product_by_price", condition=models.Q(active=True)),
            models.Index(models.F("id").desc(), name="product_newest", condition=models.Q(active=True)),
            models.Index(fields=["name"], name="product_by_title"),
            models.Index(
                fields=["available_from"], name="product_by_day", condition=models.Q(available_from__isnull=False)
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.settle()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "isbn", *self.DERIVED}
        super().save(*args, **kwargs)

    def settle(self, authors: list[str] | None = None, tags: list[str] | None = None) -> None:
        """Bring the fields into the form they are kept in; `authors` and `tags` as in `derive`."""
        self.isbn = normalise_isbn(self.isbn) if self.isbn else None
        self.derive(authors, tags)

    def derive(self, authors: list[str] | None = None, tags: list[str] | None = None) -> None:
        """Set the fields that are made from others; `authors` and `tags` are names, read from the database if None."""
        if authors is None:
            links = self.author_links.select_related("author") if self.pk else []
            authors = [link.author.name for link in links]
        if tags is None:
            tags = list(self.tags.values_list("name", flat=True)) if self.pk else []
        self.authors_text = _shortened(", ".join(authors), 500)
        series = self.series.name if self.series else ""
        self.series_text = f"{series} {self.series_label()}".strip() if series else ""
        name = fold(self.name)
        self.sort_name = name[:100]
        rest = " ".join([*authors, series, self.publisher, self.isbn or "", *tags, self.description])
        self.search_text = f"{name}\n{fold(rest)}"

    def series_label(self) -> str:
        """The number in its series as a reader writes it: "#1", "#2.5", or nothing."""
        return f"#{self.series_number.normalize():f}" if self.series_number is not None else ""

    def facts(self) -> list[tuple[str, str]]:
        """What is known of this edition, as (label, value)."""
        facts = [
            ("ISBN", self.isbn or ""),
            ("Publisher", self.publisher),
            ("Published", self.published_label()),
            ("Language", self.language_label()),
            ("Format", self.get_format_display()),
            ("Pages", str(self.pages or "")),
            ("Series", self.series_text),
        ]
        return [fact for fact in facts if fact[1]]

    def language_label(self) -> str:
        return language_name(self.language)

    def cover_url(self) -> str:
        """The address of the thumbnail that `with_cover()` found."""
        return picture_address(self.cover["name"]) if self.cover else ""

    def published_label(self) -> str:
        """The year as a reader writes it: "1813", "750 BC"."""
        if self.published is None:
            return ""
        return f"{-self.published} BC" if self.published < 0 else str(self.published)


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


class ProductAuthorQuerySet(models.QuerySet["ProductAuthor"]):
    def update(self, **values: Any) -> int:
        """Django's own; what is derived of the products, before and after, follows."""
        with transaction.atomic():
            links = dict(self.order_by().values_list("pk", "product"))
            updated = super().update(**values)
            now = ProductAuthor.objects.filter(pk__in=links).values_list("product", flat=True)
            Product.objects.filter(pk__in={*links.values(), *now}).refresh_derived()
        return updated

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Django's own; what is derived of the products follows."""
        with transaction.atomic():
            links = super().bulk_create(objs, *args, **kwargs)
            Product.objects.filter(pk__in={link.product_id for link in links}).refresh_derived()
        return links


class ProductAuthor(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="author_links")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="product_links")
    position = models.PositiveSmallIntegerField(default=0)

    objects = ProductAuthorQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        base_manager_name = "objects"
        constraints = [models.UniqueConstraint(fields=["product", "author"], name="author_once_a_product")]

    def __str__(self) -> str:
        return f"{self.author} wrote {self.product}"
