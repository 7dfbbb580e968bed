"""BookTime's settings, read from the environment (docs/deploying.md lists every variable).

Three kinds of site come out of it:

* the demo: no `SECRET_KEY`. SQLite, one process, plain HTTP on localhost;
* a server of one process: `SECRET_KEY`, on any database, without `REDIS_URL`;
* a server of any number of processes: `SECRET_KEY`, `DATABASE_URL` and `REDIS_URL`.

A module for each subject, read from top to bottom.
"""

from booktime.settings.site import *  # isort: split
from booktime.settings.applications import *
from booktime.settings.database import *
from booktime.settings.shared_state import *
from booktime.settings.mail import *
from booktime.settings.authentication import *
from booktime.settings.files import *
from booktime.settings.payments import *
from booktime.settings.security import *
from booktime.settings.apis import *
from booktime.settings.logging import *

# Settings alone: who builds on them is not to be given the modules that they stand in.
__all__ = [name for name in dir() if name.isupper()]
