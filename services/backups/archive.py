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
from typing import IO

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
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
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
    with path.open("rb") as file, _reading(path):
        return _manifest(gzip.GzipFile(fileobj=file))


def unpack(path: Path, folder: Path) -> Manifest:
    """Put all files of the backup at ``path`` into ``folder``, each as its manifest says.

    Raises:
        BackupError: It is no backup, is cut off, or was changed.
        OSError: It cannot be read, or the files cannot be written.
    """
    with path.open("rb") as file, _reading(path):
        packed = gzip.GzipFile(fileobj=file)
        manifest = _manifest(packed)
        for entry in manifest.entries:
            _extract(packed, entry, path, folder)
        # The checksum of all of it stands at the end, which nobody else reads.
        if packed.read(_CHUNK).strip(b"\0") or packed.read(1):
            raise BackupError(f"{path} has more than its manifest says; use another one.")
    return manifest


def _next(packed: gzip.GzipFile) -> tuple[str, int]:
    """Name and size of the member whose content comes next.

    Headers are read one by one: some kinds, which no backup has, would be read into memory whole.
    """
    member = tarfile.TarInfo.frombuf(packed.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    if member.type != tarfile.REGTYPE:
        raise tarfile.HeaderError("it has what is no file")
    return member.name, member.size


def _skip_padding(packed: gzip.GzipFile, size: int) -> None:
    packed.read(-size % tarfile.BLOCKSIZE)


def _manifest(packed: gzip.GzipFile) -> Manifest:
    name, size = _next(packed)
    if name != manifests.NAME or not 0 <= size <= manifests.MOST_BYTES:
        raise BackupError("This is no backup of Podium: it does not begin with a manifest.")
    manifest = manifests.read(packed.read(size))
    _skip_padding(packed, size)
    names = [entry.name for entry in manifest.entries]
    if not set(names) <= _KNOWN or len(set(names)) < len(names):
        raise BackupError("The backup has files that are none of a suite's: it is not used.")
    if missing := [part.file for part in PARTS if part.file not in names]:
        raise BackupError(f"The backup has no {missing[0]}: it is not used.")
    return manifest


def _extract(packed: gzip.GzipFile, entry: Entry, path: Path, folder: Path) -> None:
    """Never by the archive's own names and kinds: what is written is what the manifest lists."""
    name, size = _next(packed)
    if name != entry.name:
        raise BackupError(f"{path} has no {entry.name} where its manifest has it; use another one.")
    hashed, left = hashlib.sha256(), entry.bytes if size == entry.bytes else 0
    with private(folder / entry.name) as target:
        while left and (chunk := packed.read(min(_CHUNK, left))):
            left -= len(chunk)
            hashed.update(chunk)
            target.write(chunk)
    if left or size != entry.bytes or hashed.hexdigest() != entry.sha256:
        raise BackupError(
            f"{entry.name} in {path} is not what its manifest says: the backup was changed or "
            "damaged; use another one."
        )
    _skip_padding(packed, size)


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
