"""A backup as a file: a tar archive, compressed with gzip, whose first member is the manifest."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from services.backups import manifest as manifests
from services.backups.manifest import Entry, Manifest
from services.backups.parts import FILES, PARTS, BackupError

_CHUNK = 1 << 20
# What is fast: the suite goes on beside it.
_LEVEL = 1
_KNOWN = frozenset((*(part.file for part in PARTS), *FILES))


def write(file: IO[bytes], manifest: Manifest, folder: Path) -> None:
    """Write the backup of ``manifest``, whose files are in ``folder``, to ``file``."""
    with (
        gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        text = manifest.text().encode()
        tar.addfile(_member(manifests.NAME, len(text)), io.BytesIO(text))
        for entry in manifest.entries:
            with (folder / entry.name).open("rb") as content:
                tar.addfile(_member(entry.name, entry.bytes), content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    return member


def digest(path: Path) -> tuple[int, str]:
    """The bytes of a file: how many, and their SHA-256."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
        return file.tell(), found.hexdigest()


@contextmanager
def _reading(path: Path) -> Generator[None]:
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise BackupError(
            f"{path} is no backup, or not all of it, or was changed ({error}); use another one."
        ) from error


def manifest_of(path: Path) -> Manifest:
    """What a backup says of itself; the rest is not looked at.

    Raises:
        BackupError: It is none.
        OSError: It cannot be read.
    """
    with path.open("rb") as file, _reading(path), tarfile.open(fileobj=file, mode="r|gz") as tar:
        return _manifest(tar)


def unpack(path: Path, folder: Path) -> Manifest:
    """Put all files of the backup at ``path`` into ``folder``, each as its manifest says.

    Raises:
        BackupError: It is no backup, is cut off, or was changed.
        OSError: It cannot be read, or the files cannot be written.
    """
    with path.open("rb") as file, _reading(path):
        packed = gzip.GzipFile(fileobj=file)
        with tarfile.open(fileobj=packed, mode="r|") as tar:
            manifest = _manifest(tar)
            for entry in manifest.entries:
                _extract(tar, entry, path, folder)
        # The checksum of all of it stands at the end, which nobody else reads.
        while packed.read(_CHUNK):
            pass
    return manifest


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    if first is None or first.name != manifests.NAME or first.size > manifests.MOST_BYTES:
        raise BackupError("This is no backup of Podium: it does not begin with a manifest.")
    manifest = manifests.read(cast("IO[bytes]", tar.extractfile(first)).read())
    names = [entry.name for entry in manifest.entries]
    if not set(names) <= _KNOWN or len(set(names)) < len(names):
        raise BackupError("The backup has files that are none of a suite's: it is not used.")
    if missing := [part.file for part in PARTS if part.file not in names]:
        raise BackupError(f"The backup has no {missing[0]}: it is not used.")
    return manifest


def _extract(tar: tarfile.TarFile, entry: Entry, path: Path, folder: Path) -> None:
    """Never by the archive's own names and kinds: what is written is what the manifest lists."""
    member = tar.next()
    if member is None or member.name != entry.name or not member.isreg():
        raise BackupError(f"{path} has no {entry.name} where its manifest has it; use another one.")
    content = cast("IO[bytes]", tar.extractfile(member))
    hashed, left = hashlib.sha256(), entry.bytes
    with private(folder / entry.name) as target:
        while left and (chunk := content.read(min(_CHUNK, left))):
            left -= len(chunk)
            hashed.update(chunk)
            target.write(chunk)
    if left or member.size != entry.bytes or hashed.hexdigest() != entry.sha256:
        raise BackupError(
            f"{entry.name} in {path} is not what its manifest says: the backup was changed or "
            "damaged; use another one."
        )


@contextmanager
def private(path: Path) -> Generator[IO[bytes]]:
    """A new file that only its owner can read, on the disk once it is closed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(descriptor)


def sync(folder: Path) -> None:
    """Have the names in ``folder`` on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
