"""The picture files of one import."""

import pickle
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage

from shop.importing.staging import StagedRows
from shop.models import ProductImage
from shop.values.picture_files import Picture, digest_of, read_content, read_picture


class PictureFolder:
    """Reads each file of a folder once, decodes each picture once, and none at all that the shop has already."""

    def __init__(self, folder: Path, staged: StagedRows) -> None:
        self.folder = folder.resolve()
        self._staged = staged
        self._decoded = tempfile.TemporaryDirectory(prefix="booktime-import-")
        # What this import has put into the shop's storage, and what a batch has asked for so far.
        self._files: list[str] = []
        self._shown: dict[str, ProductImage] = {}

    def close(self) -> None:
        self._decoded.cleanup()

    def digest(self, file_name: str) -> str:
        """What the content of a picture is known by. Raises ValueError, with the reason, if it cannot be used."""
        known = self._staged.picture(file_name)
        if known is None:
            known = self._look_at(file_name)
            self._staged.add_picture(file_name, *known)
        digest, problem = known
        if digest is None:
            raise ValueError(problem)
        return digest

    def _look_at(self, file_name: str) -> tuple[str | None, str | None]:
        path = (self.folder / file_name).resolve()
        if not path.is_relative_to(self.folder):
            return None, f"“{file_name}” lies outside the folder of pictures."
        if not path.is_file():
            return None, f"there is no file “{file_name}” in the folder of pictures."
        try:
            with path.open("rb") as file:
                digest = digest_of(read_content(file))
                if not (self._path(digest).exists() or self._in_shop(digest)):
                    self._path(digest).write_bytes(pickle.dumps(read_picture(file)))
        except ValidationError as error:
            return None, f"“{file_name}” cannot be used: {error.messages[0]}"
        except OSError as error:
            return None, f"“{file_name}” cannot be read: {error.strerror}."
        return digest, None

    def _in_shop(self, digest: str) -> bool:
        twin = ProductImage.objects.with_content(digest).first()
        return twin is not None and default_storage.exists(twin.image.name or "")

    def _path(self, digest: str) -> Path:
        return Path(self._decoded.name) / digest

    def show(self, image: ProductImage, digest: str, file_name: str) -> None:
        """Set `image` to the picture of that file, storing it if the shop has none like it; needs a transaction."""
        first = self._shown.get(digest)
        if first is not None:
            for name in ProductImage.STORED:
                setattr(image, name, getattr(first, name))
            return
        if not image.share(digest) and image.show(self._picture(digest, file_name)):
            self._files += image.file_names()
        self._shown[digest] = image

    def _picture(self, digest: str, file_name: str) -> Picture:
        if self._path(digest).exists():
            return pickle.loads(self._path(digest).read_bytes())  # noqa: S301  # our own, in a folder of our own
        with (self.folder / file_name).open("rb") as file:
            return read_picture(file)

    def end_batch(self) -> None:
        """From here on the database knows the pictures shown so far."""
        self._shown.clear()

    def take_back(self) -> None:
        """Delete what was stored: the import did not come to be."""
        for name in self._files:
            with suppress(OSError):
                default_storage.delete(name)
