"""`raincheck dashboard`."""

import os
from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> None:
    """Sends the workspace, or saves what it would be."""
    mine = Parser("dashboard")
    mine.add_argument(
        "runs",
        metavar="RUN_DIR",
        type=Path,
        nargs="+",
        help="folders of runs made with --tracking wandb, or folders with such in them",
    )
    mine.add_argument("--project", default=os.environ.get("WANDB_PROJECT", "raincheck"), help="default: %(default)s")
    mine.add_argument("--entity", default=os.environ.get("WANDB_ENTITY"), help="default: your own")
    mine.add_argument(
        "--save", type=Path, metavar="FILE", help="write it here as JSON; needs no account and no network"
    )
    options = mine.parse_args(arguments)
    from raincheck.dashboard import dashboard as make_dashboard

    place = make_dashboard(options.runs, project=options.project, entity=options.entity, save=options.save)
    print(f"written to {place}")
