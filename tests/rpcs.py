"""Every RPC of every proto, as the generated code has them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor, MethodDescriptor

import podium


def files() -> Iterator[FileDescriptor]:
    """The descriptors of all protos."""
    for root in map(Path, podium.__path__):
        for path in sorted(root.rglob("*_pb2.py")):
            below = path.relative_to(root).with_suffix("")
            yield import_module(".".join(("podium", *below.parts))).DESCRIPTOR


def methods() -> dict[str, MethodDescriptor]:
    """Every RPC by ``/package.Service/Method``."""
    return {
        f"/{service.full_name}/{method.name}": method
        for file in files()
        for service in file.services_by_name.values()
        for method in service.methods
    }
