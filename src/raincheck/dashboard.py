"""A W&B workspace made from code: what it shows is a pure function of runs; sending it is a separate step.

`specification` needs no W&B package and no network. `workspace` turns it into objects of wandb-workspaces (an optional
extra), which `send` saves on the server.
"""

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raincheck.errors import ConfigError, one_line
from raincheck.evaluation.results import in_order
from raincheck.files import write_result
from raincheck.report import numbers
from raincheck.report.reading import read_runs
from raincheck.report.runs import Run
from raincheck.targets import check_target
from raincheck.tracking.wandb_run import AXIS, known_id, obstacle

Panel = dict[str, Any]
Section = dict[str, Any]
Specification = dict[str, Any]


def dashboard(folders: Sequence[Path], *, project: str, entity: str | None = None, save: Path | None = None) -> str:
    """Makes a workspace about finished runs.

    Args:
        folders: of runs that were tracked by W&B, or with such below them.
        project: where W&B has the runs.
        entity: whose project it is; by default the account's own.
        save: a JSON file to write the specification to, instead of sending it.

    Returns:
        Where the workspace is: the file, or an address.

    Raises:
        InputError: if a folder holds no finished run.
        ConfigError: if a run was not tracked by W&B, the extra is not installed, or W&B can't be reached.
        OutputError: if the file cannot be written, or is an input or one of its own.
    """
    if save is not None:
        check_target(save, folders)
    runs = read_runs(folders)
    made = specification(runs, [known_id(Path(run.place)) for run in runs])
    if save is not None:
        write_result(save, json.dumps(made, indent=1) + "\n")
        return str(save)
    return send(made, project, entity)


def specification(runs: Sequence[Run], ids: Sequence[str]) -> Specification:
    """What the workspace shows: panels by their class in wandb-workspaces, in sections.

    Every name of a task or method is escaped, as it is where the run logs it.

    Args:
        runs: finished runs.
        ids: their W&B ids.
    """
    tasks = list(dict.fromkeys(html.escape(task) for run in runs for task in run.tasks))
    metrics = in_order(metric for run in runs for metric in run.matrices)
    return {
        "name": "raincheck",
        "runs": list(ids),
        "sections": [
            {"name": "Runs", "panels": [_markdown(runs), {"panel": "RunComparer", "diff_only": "split"}]},
            *(_scores(html.escape(metric), tasks, numbers.unit(metric)) for metric in metrics),
            {"name": "Loss terms", "panels": _losses()},
            {"name": "Before and after", "panels": [*_media("frames", tasks), *_media("video", tasks)]},
            {"name": "Speed", "panels": [_lines(title, [f"system/{key}"]) for key, title in SPEEDS.items()]},
        ],
    }


SPEEDS = {
    "steps_per_second": "training steps a second",
    "clips_per_second": "new clips a second",
    "eval_frames_per_second": "evaluated frames a second",
    "peak_memory_bytes": "peak memory in bytes",
}


def _scores(metric: str, tasks: Sequence[str], unit: str) -> Section:
    """R, and each task's score over the run: its forgetting curve."""
    curves = [_lines(f"{task} ({metric}{', ' + unit if unit else ''})", [f"{metric}/{task}"]) for task in tasks]
    summaries = [_lines(f"{kind} ({metric})", [f"{kind}/{metric}"]) for kind in ("average", "forgetting", "bwt", "fwt")]
    matrices: list[Panel] = [
        {"panel": "MediaBrowser", "title": f"R ({metric})", "media_keys": [f"heatmap/{metric}", f"curves/{metric}"]},
        {"panel": "WeavePanelSummaryTable", "table_name": f"R/{metric}"},
    ]
    return {"name": metric, "panels": [*curves, *summaries, *matrices]}


def _losses() -> list[Panel]:
    """All that is minimised, the data term, and every other term and its strength beside the data term by pattern."""
    plain = [_lines("loss", ["train/loss"]), _lines("data term", ["train/data"])]
    patterns = {"all terms": r"train/(?!.*_to_data$).*", "terms in proportion to the data term": r"train/.*_to_data"}
    return plain + [{**_lines(title, []), "metric_regex": pattern} for title, pattern in patterns.items()]


def _lines(title: str, metrics: Sequence[str]) -> Panel:
    return {"panel": "LinePlot", "title": title, "x": AXIS, "y": list(metrics), "title_x": AXIS}


def _media(kind: str, tasks: Sequence[str]) -> list[Panel]:
    return [{"panel": "MediaBrowser", "title": task, "media_keys": [f"{kind}/{task}"]} for task in tasks]


def _markdown(runs: Sequence[Run]) -> Panel:
    lines = [f"- **{plain(run.label)}**: {', then '.join(map(plain, run.tasks))}" for run in runs]
    return {"panel": "MarkdownPanel", "markdown": "\n".join(["What was learned, in order:", "", *lines])}


def plain(text: str) -> str:
    """A name as Markdown that shows it and nothing else: no markup, no HTML, no link."""
    return html.escape(re.sub(r"([\\`*_{}\[\]()#+.!|~:-])", r"\\\1", " ".join(text.split())))


def workspace(made: Specification, project: str, entity: str) -> Any:
    """The specification as a `wandb_workspaces.workspaces.Workspace`.

    Raises:
        ConfigError: if the extra is not installed.
    """
    try:
        from wandb_workspaces import expr
        from wandb_workspaces import workspaces as ws
        from wandb_workspaces.reports.v2 import panels
    except ImportError:
        raise ConfigError("a dashboard needs a package; pip install 'raincheck[dashboard]', or --save FILE") from None
    sections = [
        ws.Section(
            name=section["name"],
            is_open=True,
            panels=[
                getattr(panels, panel["panel"])(**{key: value for key, value in panel.items() if key != "panel"})
                for panel in section["panels"]
            ],
        )
        for section in made["sections"]
    ]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=made["name"],
        sections=sections,
        settings=ws.WorkspaceSettings(x_axis=AXIS),
        runset_settings=ws.RunsetSettings(filters=expr.And(expr.Metric("ID").isin(made["runs"]))),
    )


def send(made: Specification, project: str, entity: str | None) -> str:
    """Saves the workspace on the server; returns its address.

    Raises:
        ConfigError: if the extra is not installed, or W&B can't be reached or does not take it.
    """
    import wandb

    if reason := obstacle():
        raise ConfigError(f"W&B cannot be reached ({reason}); write the dashboard to a file with --save FILE")
    try:
        built = workspace(made, project, entity or str(wandb.Api().default_entity))
        built.save()
    except (wandb.Error, OSError, ValueError) as error:
        raise ConfigError(f"W&B did not take the dashboard ({one_line(error)}); check --project and --entity") from None
    return str(built.url)
