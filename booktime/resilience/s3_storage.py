"""Pictures in an S3 bucket: what goes wrong there is one error, which callers know."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from shop.values.picture_files import PicturesUnavailable

# Somebody waits in front of a form. Two tries, each of so many seconds of silence at most.
PATIENCE = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})


@contextmanager
def told() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, Boto3Error, ClientError) as error:
        raise PicturesUnavailable(f"The bucket failed: {type(error).__name__}") from error


class Bucket(S3Storage):
    """Every call may raise PicturesUnavailable, but for `url`: an address is known without asking."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client_config: Config = self.client_config.merge(PATIENCE)

    def _save(self, name: str, content: Any) -> str:
        with told():
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> File:
        """The file, read to its end: what fails, fails here."""
        with told(), super()._open(name, mode) as file:
            return ContentFile(file.read(), name)

    def exists(self, name: str) -> bool:
        with told():
            return bool(super().exists(name))

    def sizes(self, folder: str) -> dict[str, int]:
        """The files of a folder and how many bytes each has: a thousand for each question to the bucket."""
        with told():
            return {each.key.rpartition("/")[2]: each.size for each in self.bucket.objects.filter(Prefix=f"{folder}/")}

    def delete(self, name: str) -> None:
        with told():
            super().delete(name)
