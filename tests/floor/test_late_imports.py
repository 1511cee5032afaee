"""What a service does not load before it is needed: memory that most of them never need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("service", ["executor", "edge"])
def test_the_validator_of_schemas_is_loaded_with_the_first_schema(service: str) -> None:
    script = f"""
import sys
import services.{service}.serving
from services.judging import quick_faults
print("jsonschema_rs" in sys.modules)
print(quick_faults('{{"type": "string"}}', lambda: 1, 1))
print("jsonschema_rs" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    before, faults, after = done.stdout.splitlines()

    assert (before, after) == ("False", "True")
    assert "string" in faults
