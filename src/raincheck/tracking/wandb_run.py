"""How a W&B run begins: offline, or online without ever waiting long or asking at a prompt."""

import os
import secrets
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import wandb

from raincheck.errors import ConfigError, one_line
from raincheck.files import write_text

# Seconds. With what wandb itself adds, a run waits 10 at most for a server that does not answer; at its end it waits
# longer, for data on their way.
ANSWER, START, UPLOAD = 5.0, 4.0, 60.0
AXIS = "iteration"  # the x axis: Avalanche's clock; W&B's own step only counts calls
STAGING = "WANDB_DATA_DIR"  # where wandb keeps copies of tables until they are sent


def begin(folder: Path, config: Mapping[str, Any]) -> wandb.Run:
    """Begins a W&B run in folder/wandb, offline where it has to be, which is said on standard error.

    Args:
        folder: of our run.
        config: the resolved configuration, with `method` and `seed`.
    """
    os.environ.setdefault(STAGING, str(folder / "wandb"))  # else the home directory
    # W&B's statistics about its own use, which it tries to send for half a minute when a process ends.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    # A parent's W&B process would outlive this one, if it is killed, and hold its run.
    os.environ.pop("WANDB_SERVICE", None)
    if os.environ.get("WANDB_MODE") == "online":
        reason = obstacle()
        if reason is None:
            try:
                return _begin("online", folder, config)
            except (wandb.Error, TimeoutError) as error:
                reason = one_line(error)
                wandb.teardown()  # else the run that did not begin keeps its id
        print(
            f"raincheck: W&B cannot be reached ({reason}); logging offline, to be sent later with "
            f"`wandb sync {folder / 'wandb'}`",
            file=sys.stderr,
        )
    return _begin("offline", folder, config)


def obstacle() -> str | None:
    """What stands in the way of going online, or None.

    Asks the server who we are. That waits on a thread of its own, because what wandb does below has timeouts and
    retries of its own, which an odd server or network can string together.
    """
    answers: list[str | None] = []

    def ask() -> None:
        try:
            known = wandb.login(prompt=False, verify=True)
            answers.append(None if known else "no API key; get one with `wandb login`")
        except (wandb.Error, OSError) as error:
            answers.append(one_line(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(ANSWER)
    return answers[0] if answers else f"no answer within {ANSWER:.0f} seconds"


def run_id(folder: Path) -> str:
    """The W&B id of a run: an agent's of a sweep, else kept in the run's folder, so that what goes on is the same run.

    Not derived from the configuration alone: a repetition with other versions, or on another machine, is another run.
    """
    path = folder / "wandb" / "id.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, os.environ.get("WANDB_RUN_ID") or secrets.token_hex(8))
    return known_id(folder)


def known_id(folder: Path) -> str:
    """The W&B id of a run that was tracked.

    Raises:
        ConfigError: if it was not.
    """
    path = folder / "wandb" / "id.txt"
    if not path.is_file():
        raise ConfigError(f"{folder} was not tracked by W&B; run it with --tracking wandb, or leave it out")
    return path.read_text(encoding="utf-8").strip()


def remove_others(folder: Path, identity: str, current: Path) -> None:
    """Removes what earlier processes logged offline as this run, once the current one has it all."""
    for other in folder.glob(f"offline-run-*-{identity}"):
        if other.resolve() != current.resolve():
            shutil.rmtree(other)


def _begin(mode: Literal["online", "offline"], folder: Path, config: Mapping[str, Any]) -> wandb.Run:
    settings = wandb.Settings(
        init_timeout=START,
        finish_timeout=UPLOAD,
        console="off",  # a progress bar is no log
        disable_job_creation=True,
        silent=True,
    )
    return wandb.init(
        project=os.environ.get("WANDB_PROJECT", "raincheck"),
        name=f"{config['method']}-{config['seed']}",
        group=str(config["method"]),
        id=run_id(folder),
        resume="allow" if mode == "online" else None,  # an offline file holds the whole run, and replaces what was sent
        dir=str(folder),
        config=dict(config),
        mode=mode,
        reinit="create_new",
        settings=settings,
    )
