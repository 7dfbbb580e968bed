"""Bulk actions: do it to each, log what changed, and say which could not and why."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

# So many are named in a message; the rest is counted.
MOST_NAMED = 10


class Outcome:
    """What an action did: the objects that changed, and for every reason those that did not."""

    def __init__(self) -> None:
        self.changed: list[Any] = []
        self.refused: dict[str, list[Any]] = defaultdict(list)

    @classmethod
    def of_each(cls, objects: Iterable[Model], verb: Callable[[Any], bool], unchanged: str) -> "Outcome":
        """Call `verb` on each of them; False means that nothing changed, for the reason `unchanged`."""
        outcome = cls()
        for obj in objects:
            try:
                done = verb(obj)
            except ValidationError as error:
                outcome.refused[" ".join(error.messages)].append(obj)
            else:
                if done:
                    outcome.changed.append(obj)
                else:
                    outcome.refused[unchanged].append(obj)
        return outcome

    def report(self, model_admin: ModelAdmin[Any], request: HttpRequest, done: str) -> None:
        """Write the admin's log and tell the person; `done` reads like "marked as paid"."""
        log(request, self.changed, done)
        self.tell(model_admin, request, done, model_admin.model)

    def tell(self, model_admin: ModelAdmin[Any], request: HttpRequest, done: str, model: type[Model]) -> None:
        """Say how many changed, and which could not and why."""
        opts = model._meta
        noun = opts.verbose_name if len(self.changed) == 1 else opts.verbose_name_plural
        level = messages.SUCCESS if self.changed else messages.WARNING
        model_admin.message_user(request, f"{len(self.changed)} {noun} {done}.", level)
        for reason, objects in self.refused.items():
            text = f"{len(objects)} not changed ({named(objects)}): {reason}"
            model_admin.message_user(request, text, messages.WARNING)


def log(request: HttpRequest, objects: list[Any], done: str) -> None:
    """A line in the admin's history of each object."""
    if objects:
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=objects, action_flag=CHANGE, change_message=done.capitalize()
        )


def named(objects: list[Any]) -> str:
    names = ", ".join(str(obj) for obj in objects[:MOST_NAMED])
    more = len(objects) - MOST_NAMED
    return f"{names} and {more} more" if more > 0 else names
