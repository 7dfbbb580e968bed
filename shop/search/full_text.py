"""Full text search over books: PostgreSQL's own, and SQLite's FTS5 in the demo, behind one lookup.

A product keeps the words that it is found by in `search_text`, folded (no accents, no case): the title on the first
line, all else on the second. `Product.objects.search(text)` asks for products that hold every word of a text, where
a word may be the beginning of a longer one. PostgreSQL reads a generated `tsvector` column with a GIN index, SQLite
an FTS5 table kept by triggers; `install()` makes either.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# A list of pending entries would be read through by every search until the next vacuum: books are searched for far more
# often than changed.
POSTGRESQL_INDEX = """
ALTER TABLE shop_product ADD COLUMN search_vector tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', split_part(search_text, E'\\n', 1)), 'A')
    || setweight(to_tsvector('simple', split_part(search_text, E'\\n', 2)), 'D')
) STORED;
CREATE INDEX shop_product_search ON shop_product USING gin (search_vector) WITH (fastupdate = off);
"""

SQLITE_INDEX = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS shop_product_search USING fts5("
    "search_text, content='shop_product', content_rowid='id', prefix='2 3')",
    "CREATE TRIGGER IF NOT EXISTS shop_product_search_insert AFTER INSERT ON shop_product BEGIN "
    "INSERT INTO shop_product_search(rowid, search_text) VALUES (new.id, new.search_text); END",
    "CREATE TRIGGER IF NOT EXISTS shop_product_search_delete AFTER DELETE ON shop_product BEGIN "
    "INSERT INTO shop_product_search(shop_product_search, rowid, search_text) "
    "VALUES ('delete', old.id, old.search_text); END",
    "CREATE TRIGGER IF NOT EXISTS shop_product_search_update AFTER UPDATE OF search_text ON shop_product BEGIN "
    "INSERT INTO shop_product_search(shop_product_search, rowid, search_text) "
    "VALUES ('delete', old.id, old.search_text); "
    "INSERT INTO shop_product_search(rowid, search_text) VALUES (new.id, new.search_text); END",
)


class Matches(models.Lookup[bool]):
    """`search_text__matches=["harry", "stone"]`: holds a word that begins with each of these folded words.

    The words are the parameters, each one, so that they may be placeholders of a compiled query.
    """

    lookup_name = "matches"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[str]]:
        return f"{product(compiler, self.lhs)}.search_vector @@ {postgresql_query(self.rhs)}", [*self.rhs]

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, list[str]]:
        query = " || ".join("""'"' || %s || '"* '""" for _ in self.rhs)
        found = f"SELECT rowid FROM shop_product_search WHERE shop_product_search MATCH {query}"  # noqa: S608  # parameters
        return f"{product(compiler, self.lhs)}.id IN ({found})", [*self.rhs]


def product(compiler: Any, search_text: Any) -> str:
    """The table, under the name it has in this query, that the column `search_text` is of."""
    return compiler.compile(search_text)[0].rpartition(".")[0]


def postgresql_query(words: Sequence[Any]) -> str:
    return "(" + " && ".join("to_tsquery('simple', %s || ':*')" for _ in words) + ")"


class Relevance(models.Func):
    """How well a product matches: a word in the title counts for much more than one elsewhere."""

    output_field = models.FloatField()

    def __init__(self, words: Sequence[Any]) -> None:
        self.words = words
        super().__init__("search_text")

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> tuple[str, list[str]]:
        vector = f"{product(compiler, self.source_expressions[0])}.search_vector"
        return f"ts_rank({vector}, {postgresql_query(self.words)}, 1)", [*self.words]

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # FTS5 ranks only inside its own query; how many words stand in the title serves the demo as well.
        text = f"{product(compiler, self.source_expressions[0])}.search_text"
        title = f"' ' || substr({text}, 1, instr({text}, char(10)))"
        found = " + ".join(f"(instr({title}, ' ' || %s) > 0)" for _ in self.words)
        return f"(1.0 * ({found}) / (10 + instr({text}, char(10))))", [*self.words]


def install(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the search index in a migration."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL_INDEX)
    else:
        ensure_sqlite_index(schema_editor.connection.alias)


def ensure_sqlite_index(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the FTS5 table and its triggers in place.

    Django alters a SQLite table by making it anew, which drops its triggers: this runs after every migration.
    """
    with connections[using].cursor() as cursor:
        for statement in SQLITE_INDEX:
            cursor.execute(statement)
        cursor.execute("INSERT INTO shop_product_search(shop_product_search) VALUES ('rebuild')")
