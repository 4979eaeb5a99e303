"""W&B's own folders and settings stay out of the user's home, and the user's out of the tests."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="module")
def _apart(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        home: Path = tmp_path_factory.mktemp("wandb")
        for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "NETRC"):
            patch.setenv(name, str(home / name))
        for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_DATA_DIR", "WANDB_RUN_ID", "WANDB_PROJECT"):
            patch.delenv(name, raising=False)
        patch.setenv("WANDB_SILENT", "true")
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        yield
