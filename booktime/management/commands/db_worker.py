from django_tasks_db.management.commands import db_worker

from booktime.worker import LastingWorker

# The command makes its worker by this name.
db_worker.Worker = LastingWorker  # type: ignore[misc]


class Command(db_worker.Command):
    help = "Send mail and post webhooks, until told to stop; as many as you like may run at once."
