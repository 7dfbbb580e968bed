"""Import it before anything of Django's: it sets Django up with the settings of the environment."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "booktime.settings")
django.setup()
