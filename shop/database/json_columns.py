"""What a card or a product's page shows from other tables, as columns of JSON of the product's own query.

They are plain SQL because Django takes ten times as long to put such subqueries together as the database to answer
them.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class JSONColumn(models.Func):
    """A subquery's JSON; in `sql`, `{product}` is the product's key, `{object}` and `{list}` are the functions."""

    output_field = models.JSONField()
    sql: ClassVar[str]

    def __init__(self, product: str = "pk") -> None:
        super().__init__(product)

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        product, params = compiler.compile(self.source_expressions[0])
        return self.sql.format(product=product, object="jsonb_build_object", list="jsonb_agg"), params

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        product, params = compiler.compile(self.source_expressions[0])
        return self.sql.format(product=product, object="json_object", list="json_group_array"), params


class Cover(JSONColumn):
    """{"name", "width", "height"} of the first picture's thumbnail, or None."""

    sql = """(SELECT {object}('name', thumbnail, 'width', thumbnail_width, 'height', thumbnail_height)
        FROM shop_productimage WHERE product_id = {product} ORDER BY position, id LIMIT 1)"""


class Pictures(JSONColumn):
    """[{"image", "width", "height", "thumbnail", "thumbnail_width", "thumbnail_height"}], or None."""

    sql = """(SELECT {list}({object}('image', image, 'width', width, 'height', height, 'thumbnail', thumbnail,
        'thumbnail_width', thumbnail_width, 'thumbnail_height', thumbnail_height))
        FROM (SELECT * FROM shop_productimage WHERE product_id = {product} ORDER BY position, id) picture)"""


class Authors(JSONColumn):
    """[{"id", "name", "slug"}] in the order of the title page, or None."""

    sql = """(SELECT {list}({object}('id', id, 'name', name, 'slug', slug)) FROM (SELECT author.id, name, slug
        FROM shop_productauthor link JOIN shop_author author ON author.id = link.author_id
        WHERE link.product_id = {product} ORDER BY link.position, link.id) author)"""


class ActiveTags(JSONColumn):
    """[{"name", "slug", "books"}] in the order of the alphabet, or None; at most 999 `books` are counted."""

    sql = """(SELECT {list}({object}('name', name, 'slug', slug, 'books', books)) FROM (SELECT tag.name, tag.slug,
        (SELECT COUNT(*) FROM (SELECT 1 FROM shop_product_tags other WHERE other.producttag_id = tag.id LIMIT 999) few)
            AS books
        FROM shop_product_tags link JOIN shop_producttag tag ON tag.id = link.producttag_id
        WHERE link.product_id = {product} AND tag.active ORDER BY tag.name) tag)"""
