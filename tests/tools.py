"""Programs of the system that tests drive."""

import os
import shutil

import pytest


def require_tool(*names: str) -> str:
    """The path of the first of these programs that is installed.

    Without any, the test is skipped, or fails where CI=true, so that continuous integration cannot pass by skipping.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    reason = f"none of {', '.join(names)} is installed; `make tools` installs what tests need"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
