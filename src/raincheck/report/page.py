"""The HTML report: one file that needs no network and no other file, and in which no script but its own can run."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from raincheck import __version__
from raincheck.evaluation.costs import COSTS
from raincheck.evaluation.failed import Failed, of_data
from raincheck.evaluation.ranking import ranking
from raincheck.evaluation.results import in_order
from raincheck.evaluation.rows import with_baseline
from raincheck.files import write_result
from raincheck.report import curves, prices
from raincheck.report.gallery import Gallery, galleries
from raincheck.report.reading import read_runs
from raincheck.report.runs import Run
from raincheck.report.sections import Section, section


@dataclass(frozen=True)
class Group:
    """Runs whose scores can be compared with each other.

    Attributes:
        runs: in the order in which they were given.
        orders: of tasks.
        sections: one a metric, the headline's first.
        galleries: frames to look at.
    """

    runs: list[Run]
    orders: list[tuple[str, ...]]
    sections: list[Section]
    galleries: list[Gallery]


def write_report(
    paths: Sequence[Path],
    out: Path,
    title: str = "Learning rain after rain",
    against: str | None = None,
    failed: Sequence[Failed] = (),
) -> None:
    """Writes one self-contained HTML file about finished runs.

    Args:
        paths: folders of runs (report.json, and config.yaml and frames/ where present), folders with such below them,
            or .jsonl files with a report a line.
        out: the HTML file; replaced if it exists, whole or not at all.
        title: the page's heading.
        against: the row to compare with first, in each set of runs that has it; by default the best of the methods.
        failed: runs to be shown as such.

    Raises:
        InputError: if there is no run, one is not valid, or no set has a row `against`.
        OutputError: if the file cannot be written.
    """
    page = render(read_runs(paths), title, against, failed)
    write_result(out, page)


def render(runs: Sequence[Run], title: str, against: str | None, failed: Sequence[Failed]) -> str:
    """The page's HTML. Every text from a run is escaped by the templates."""
    environment = Environment(
        loader=PackageLoader("raincheck.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (resources.files("raincheck.report") / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html").render(
        title=title,
        version=__version__,
        script=script,
        allowed=b64encode(sha256(script.encode()).digest()).decode("ascii"),
        runs=runs,
        groups=[
            group(same, baseline, of_data(failed, same[0].setting)) for same, baseline in with_baseline(runs, against)
        ],
        data=dict.fromkeys((task, str(note)) for run in runs for task, notes in run.data.items() for note in notes),
        chart=curves,
        bar=prices,
        costs=COSTS.values(),
    )


def group(runs: list[Run], against: str | None, failed: Sequence[Failed]) -> Group:
    """Everything about runs whose scores can be compared."""
    metrics = in_order(metric for run in runs for metric in run.matrices)
    headline = ranking(runs, metrics[0])
    known = [*(row.name for row in headline.rows), *(run.name for run in runs), *(one.name for one in failed)]
    names = list(dict.fromkeys(known))
    return Group(
        runs,
        list(headline.orders),
        [section(runs, metric, names, against, failed) for metric in metrics],
        galleries(runs, names),
    )
