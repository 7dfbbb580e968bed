from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler


class JSONList(models.Subquery):
    """Rows of another table as one list, in their order: `JSONList(pictures.values(data=JSONObject(...)))`.

    Takes a queryset whose rows have one value, named `data`; no rows make an empty list.
    """

    template = "(SELECT COALESCE(jsonb_agg(listed.data), '[]') FROM (%(subquery)s) listed)"
    output_field = models.JSONField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        # Text in, text out: without json() a list of strings would come back.
        template = "(SELECT json_group_array(json(listed.data)) FROM (%(subquery)s) listed)"
        return self.as_sql(compiler, connection, template=template, **context)
