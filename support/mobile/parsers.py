"""How JSON is read, apart from the views: REST framework loads this while it loads itself."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


class JSONParser(BaseParser):
    """JSON as RFC 8259 has it: in UTF-8, whatever charset is claimed, and not nested until the stack is full."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            data = json.loads(stream.read(), parse_constant=refuse_constant)
            # Half a surrogate pair could be neither stored nor sent back in an error.
            json.dumps(data, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("JSON parse error: it is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"JSON parse error: {error}") from error
        return data
