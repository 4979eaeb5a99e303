"""Where losses and scores are logged while a run goes on."""

import os
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger, WandbLogger

from raincheck.errors import ConfigError


def make_logger(kind: str, folder: Path, name: str, config: dict[str, Any]) -> Logger | None:
    """The logger of a run: one for all its experiences, on one x axis.

    Args:
        kind: `csv` (folder/logs/version_*/metrics.csv; a resumed run starts a new version), `wandb` (offline unless
            the environment variable WANDB_MODE says otherwise; send it later with `wandb sync`), or `none`.
        folder: of the run.
        name: what W&B calls the run.
        config: the resolved configuration, logged once.

    Raises:
        ConfigError: for another kind.
    """
    if kind == "csv":
        return CSVLogger(folder, name="logs")
    if kind == "wandb":
        offline = os.environ.get("WANDB_MODE", "offline") != "online"
        logger = WandbLogger(project="raincheck", name=name, save_dir=str(folder), offline=offline)
        logger.log_hyperparams(config)
        return logger
    if kind == "none":
        return None
    raise ConfigError(f"tracking cannot be {kind!r}; choose csv, wandb or none")
