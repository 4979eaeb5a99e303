import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from raincheck.errors import InputError, OutputError
from raincheck.evaluation.costs import COSTS
from raincheck.report import write_report

FINETUNE = [[20.0, 21.0, 22.0], [30.0, 22.0, 23.0], [25.0, 31.0, 24.0], [24.0, 26.0, 32.0]]
RRGNET = [[20.0, 21.0, 22.0], [30.5, 22.0, 23.0], [30.25, 30.0, 24.5], [30.0, 29.5, 31.0]]
JOINT = [[20.0, 21.0, 22.0], [None] * 3, [None] * 3, [31.0, 30.5, 31.5]]
HOSTILE = '<script>alert("x")</script>'
Make = Callable[..., Path]


class Page(HTMLParser):
    """The page as a browser sees it: elements in order, and the tables' texts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.text = self.script = ""
        self.open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "input"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements must nest"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "script"}:
            self.text += data
        if self.open and self.open[-1] == "script":
            self.script += data
        if {"td", "th"} & set(self.open[-2:]):
            self.tables[-1][-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(runs: list[Path], **arguments: Any) -> Page:
    out = runs[0].parent / "report.html"
    write_report(runs, out, **arguments)
    return Page(out)


def test_ranking(make_run: Make) -> None:
    page = report([make_run("finetune"), make_run("rrgnet", RRGNET), make_run("joint", JOINT)])
    header, *rows = page.tables[0]
    assert header[2:] == [
        *("average, dB", "forgetting", "BWT", "FWT", "learned", "gap to joint"),
        *("runs", "parameters", "training"),
    ]
    assert [[row[0], *row[2:8]] for row in rows] == [
        ["rrgnet", "30.17 (best)", "+0.50 (best)", "−0.50 (best)", "+1.75 (best)", "30.50", "+0.83 (best)"],
        ["finetune", "27.33", "+5.50", "−5.50", "+1.50", "31.00 (best)", "+3.67"],
        ["joint (bound)", "31.00", "–", "–", "–", "–", "–"],
    ]
    assert [row[8:] for row in rows] == [["1", "0.41 M", "3 min 20 s"]] * 3


def test_several_seeds_are_one_row_and_paired(make_run: Make) -> None:
    """Paired differences from each row in turn; the page shows those from the best first."""
    runs = [make_run(f"a{seed}", method="a", seed=seed) for seed in range(3)]
    for seed in range(3):
        rows = [[score + (seed + 1) * (i == 3) for score in row] for i, row in enumerate(FINETUNE)]
        runs.append(make_run(f"b{seed}", rows, method="b", seed=seed))
    page = report(runs)
    # Averages: 27.33 three times; 28.33, 29.33, 30.33. Half of the interval of deviation 1 is 2.48.
    assert [row[:3] for row in page.tables[0][1:]] == [["b", "", "29.33 ± 2.48 (best)"], ["a", "", "27.33 ± 0.00"]]
    from_b, from_a = page.tables[1:3]
    # t = 2 sqrt(3): p is 0.0742 in any table of Student's t.
    assert from_b[1] == ["a", "−2.00 [−4.48, +0.48]", "+2.00 [−0.48, +4.48]", "3", "0.074", "0.250", "undecided"]
    assert from_a[1] == ["b", "+2.00 [−0.48, +4.48]", "−2.00 [−4.48, +0.48]", "3", "0.074", "0.250", "undecided"]
    assert "mean ± half of the 95 % t-interval over 3 seeds and 1 order" in page.text


@pytest.mark.parametrize(("gain", "verdict"), [(1.0, "better"), (-1.0, "worse")])
def test_verdicts(make_run: Make, gain: float, verdict: str) -> None:
    runs = []
    for seed in range(3):
        rows = [[score + gain * (1 + seed / 10) for score in row] for row in FINETUNE]
        runs += [make_run(f"a{seed}", method="a", seed=seed), make_run(f"b{seed}", rows, method="b", seed=seed)]
    tables = report(runs).tables[1:3]
    [against_a] = [table for table in tables if table[0][0] == "less a"]
    assert against_a[1][-1] == verdict


def test_matrices_and_their_shades(make_run: Make) -> None:
    page = report([make_run("finetune"), make_run("joint", JOINT)])
    finetune, joint = [table for table in page.tables if table[0] == ["", "thin", "dense", "wind"]][:2]
    assert finetune[1] == ["before training", "20.00", "21.00", "22.00"]
    assert finetune[4] == ["after wind", "24.00", "26.00", "32.00"]
    assert joint[2] == ["after thin", "–", "–", "–"]
    cells = [cell for cell in page.all("td") if "shade" in (cell.get("style") or "")]
    # "thin" goes from 20 to 31 (joint) over both runs, "dense" from 21 to 31, "wind" from 22 to 32.
    shades = [float((cell["style"] or "").removeprefix("--shade: ")) for cell in cells[:12]]
    ends = [(20, 31), (21, 31), (22, 32)]
    expected = [(v - low) / (high - low) for row in FINETUNE for v, (low, high) in zip(row, ends, strict=True)]
    assert shades == pytest.approx(expected, abs=6e-4)
    learned = [cell for cell in cells if "learned" in (cell["class"] or "")]
    assert [(cell["style"] or "") for cell in learned[:1]] == ["--shade: 0.909"]


def test_lower_is_better_turns_shades_and_best(make_run: Make) -> None:
    metrics = {"temporal_y": {"R": [[9.0, 9.0], [2.0, 8.0], [4.0, 3.0]]}}
    worse = {"temporal_y": {"R": [[9.0, 9.0], [2.0, 8.0], [6.0, 3.0]]}}
    runs = [make_run(n, tasks=["a", "b"], metrics=m) for n, m in (("bad", worse), ("good", metrics))]
    page = report(runs)
    good, bad = page.tables[0][1:]
    assert [good[0], *good[2:5]] == ["good", "3.50 (best)", "+2.00 (best)", "−2.00 (best)"]
    assert [bad[0], *bad[2:5]] == ["bad", "4.50", "+4.00", "−4.00"]
    shades = [cell["style"] for cell in page.all("td") if "shade" in (cell.get("style") or "")]
    assert shades[0] == "--shade: 0.000" and shades[2] == "--shade: 1.000"


def test_psnr_y_leads_and_every_metric_is_there(make_run: Make) -> None:
    page = report([make_run("finetune")])
    assert page.text.index("Ranking in psnr_y") < page.text.rindex("Other metrics") < page.text.index("ssim_y")
    assert page.tables[-1][1:] and "0.5000" in str(page.tables[-1])


def test_frames_of_several_rows_stand_side_by_side(make_run: Make) -> None:
    first = {"wind_00007_rainy.png": 1, "wind_00007_derained.png": 20, "wind_00007_clean.png": 3}
    other = first | {"wind_00007_derained.png": 140, "wind_00008_rainy.png": 7, "wind_00008_derained.png": 8}
    elsewhere = {"thin_00001_rainy.png": 5, "thin_00001_derained.png": 6, "notes.png": 9}
    same = {"wind_00007_rainy.png": 1, "wind_00007_derained.png": 90, "wind_00007_clean.png": 3}
    runs = [
        make_run("finetune", pictures=first),
        make_run("rrgnet", RRGNET, pictures=same),
        make_run("far", pictures=other | elsewhere),
    ]
    images = report(runs).all("img")
    shown = [image for image in images if "src" in image]
    assert [image["alt"] for image in shown] == [
        *(f"thin, frame 1: {what}" for what in ("rainy", "far")),
        *(f"wind, frame 7: {what}" for what in ("rainy", "rrgnet", "finetune", "clean")),
        *(f"wind, frame 7: {what}" for what in ("rainy", "far", "clean")),
        *(f"wind, frame 8: {what}" for what in ("rainy", "far")),
    ], "the best row first; a run that was shown other frames apart"
    jpeg = b64decode((shown[3]["src"] or "").removeprefix("data:image/jpeg;base64,"))
    assert np.asarray(Image.open(io.BytesIO(jpeg))) == pytest.approx(90, abs=2)


def test_of_several_seeds_one_is_shown(make_run: Make) -> None:
    pictures = {"thin_00001_rainy.png": 5, "thin_00001_derained.png": 6}
    runs = [make_run(f"s{seed}", method="ewc", seed=seed, pictures=pictures) for seed in range(3)]
    assert len([image for image in report(runs).all("img") if "src" in image]) == 2


def test_rows_called_as_what_they_are_shown_beside_are_told_from_it(make_run: Make) -> None:
    pictures = {"thin_00001_rainy.png": 5, "thin_00001_derained.png": 6, "thin_00001_clean.png": 7}
    images = report([make_run("clean", pictures=pictures)]).all("img")
    assert [image["alt"] for image in images if "src" in image] == [
        *(f"thin, frame 1: {what}" for what in ("rainy", "clean (derained)", "clean"))
    ]


def test_pictures_are_shown_under_their_tasks_own_names(make_run: Make) -> None:
    run = make_run(
        "ewc",
        tasks=["z/1: thin", "dense", "wind"],
        pictures={"dense_00001_clean.png": 1, "z-1--thin_00001_clean.png": 2},
    )
    assert [image["alt"] for image in report([run]).all("img") if "src" in image] == [
        "z/1: thin, frame 1: clean",
        "dense, frame 1: clean",
    ]


def test_only_the_pages_own_script_may_run_and_nothing_is_fetched(make_run: Make) -> None:
    folder = make_run(
        "run",
        method=HOSTILE,
        tasks=[HOSTILE, 'a" onload="x', "c"],
        pictures={"<b>_00001_rainy.png": 1, "&_1_clean.png": 2},
        commit=HOSTILE,
        machine=HOSTILE,
        versions={HOSTILE: HOSTILE},
        data={"c": [HOSTILE]},
    )
    (folder / "config.yaml").write_text(HOSTILE)
    page = report([folder, make_run("other")], title=HOSTILE)
    assert [tag for tag, _ in page.elements].count("script") == 1 and "alert" not in page.script
    [policy] = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    digest = b64encode(sha256(page.script.encode()).digest()).decode()
    assert policy == (f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'"), (
        "the hash that browsers compare with the script's text"
    )
    assert not {"link", "iframe", "object", "b", "base"} & {tag for tag, _ in page.elements}
    attributes = [(name, value or "") for _, attrs in page.elements for name, value in attrs.items()]
    assert not [name for name, _ in attributes if name.startswith("on")]
    addresses = [value for name, value in attributes if name in {"src", "href", "xlink:href"}]
    assert addresses and all(value.startswith(("data:", "#")) for value in addresses)
    assert "http" not in re.sub("http-equiv", "", (folder.parent / "report.html").read_text())
    assert page.text.count(HOSTILE) > 10


def test_links_within_the_page_lead_somewhere(make_run: Make) -> None:
    page = report([make_run("finetune"), make_run("rrgnet", RRGNET, train_seconds=1.0)])
    names = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    links = [(link["href"] or "")[1:] for link in page.all("a") if (link["href"] or "").startswith("#")]
    assert len(links) == 8 and set(links) <= set(names) and len(set(names)) == len(names)


def test_a_run_can_be_repeated_from_the_page(make_run: Make) -> None:
    run = make_run("ewc", commit="abc123-dirty", versions={"torch": "2.15.0"}, machine="Linux x86_64, 2 cores")
    page = report([run])
    [link] = [link for link in page.all("a") if "download" in link]
    kept = b64decode((link["href"] or "").removeprefix("data:text/yaml;charset=utf-8;base64,"))
    assert (link["download"], kept.decode()) == ("config.yaml", (run / "config.yaml").read_text())
    for fact in ("abc123-dirty", "torch 2.15.0", "Linux x86_64, 2 cores", "raincheck run --config config.yaml --out"):
        assert fact in page.text


def test_rows_whose_runs_are_no_repetitions_are_named_apart(make_run: Make) -> None:
    runs = [
        make_run("a", method="ewc", seed=0),
        make_run("b", method="ewc", seed=1),
        make_run("c", method="ewc", seed=1),
        make_run("d", method="lwf"),
        make_run("e", method="si", seed=0, setting={"stream.steps": 5}),
        make_run("f", method="si", seed=1, setting={"stream.steps": 6}),
        make_run("g", method="si", seed=1, setting={"stream.steps": 5}),
    ]
    names = {row[0] for row in report(runs).tables[0][1:]}
    assert names == {*(f"ewc, {run}" for run in runs[:3]), "lwf", f"si, {runs[4]} and 1 more", f"si, {runs[5]}"}


def test_runs_that_cannot_be_compared_are_ranked_apart(make_run: Make) -> None:
    short = {"psnr_y": {"R": [[1, 2], [3, 4], [5, None]]}}
    runs = [make_run("joint", JOINT), make_run("short", tasks=["thin", "new"], metrics=short, parameters=None)]
    page = report(runs)
    assert "These runs are of 2 sets that cannot be compared" in page.text
    rankings = [table for table in page.tables if "runs" in table[0]]
    assert [[row[0] for row in table[1:]] for table in rankings] == [["joint (bound)"], ["joint (bound)"], ["short"]]
    assert "gap to joint" not in str(rankings)


def test_a_grids_folder_and_lines_of_reports_are_read(make_run: Make, tmp_path: Path) -> None:
    for seed in range(2):
        make_run(f"grid/ewc/seed-{seed}", method="ewc", seed=seed)
    (tmp_path / "grid" / "report.json").write_text('{"runs": []}')
    page = report([tmp_path / "grid"])
    assert [row[:1] + row[-3:-2] for row in page.tables[0][1:]] == [["ewc", "2"]]
    lines = [
        {**json.loads(path.read_text()), "config": "seed: 0\n", "cell": "x"}
        for path in tmp_path.glob("grid/*/*/*.json")
    ]
    (tmp_path / "grid.jsonl").write_text("\n".join(map(json.dumps, lines)))
    page = report([tmp_path / "grid.jsonl"])
    assert page.tables[0][0][0] == "cell" and page.tables[0][1][0] == "x" and "seed: 0" in page.text


ABSURD = ("NaN", "Infinity", "-Infinity", "9" * 400)


def cost(name: str, number: str) -> str:
    whole: dict[str, Any] = {"method": "m", "tasks": ["a"], "metrics": {"psnr_y": {"R": [[1.0], [2.0]]}}}
    return json.dumps(whole).replace("{", f'{{"{name}": {number}, ', 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not an object"),
        ('{"tasks": []}', "'metrics'"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "memory_bytes": []}), "memory_bytes is []"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "setting": 1}), "setting is 1"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {}}), "there are no metrics"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"psnr_y": 1}}), "not subscriptable"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"psnr_y": {"R": [[1]]}}}), "1 tasks need 2 rows"),
        (json.dumps({"method": 3, "tasks": ["a"], "metrics": {"psnr_y": {}}}), "method is not a text"),
        (json.dumps({"method": "m", "tasks": "ab", "metrics": {"psnr_y": {}}}), "tasks are not a list"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "seed": "x"}), "seed is 'x'"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "learn": "all"}), "learn is 'all', not one"),
        *((cost(name, number), f"{name} is not a number, or larger") for name in COSTS for number in ABSURD),
        (cost("seed", "NaN"), "seed is not a number, or larger than 1e+40"),
        (cost("seed", "9" * 5000), "Exceeds the limit"),
        ("[" * 100_000, "recursion"),
        (json.dumps({"method": "m", "tasks": ["a"], "metrics": {"p": {}}, "data": {"a": "x"}}), "data does not map"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        write_report([tmp_path], tmp_path / "out.html")
    assert str(tmp_path / "report.json") in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out.html").exists()


def test_a_folder_without_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_report([tmp_path / "none"], tmp_path / "out.html")
    assert str(caught.value) == (
        f"no report.json in {tmp_path / 'none'}; give the folder of a finished `raincheck run`"
    )
    (tmp_path / "loose").mkdir()
    (tmp_path / "loose" / "ewc.json").touch()
    with pytest.raises(InputError, match=r"finished `raincheck run`, or .*loose/\*\.json if these are reports$"):
        write_report([tmp_path / "loose"], tmp_path / "out.html")
    with pytest.raises(InputError, match="give at least one DIR"):
        write_report([], tmp_path / "out.html")


def test_a_picture_that_is_none_is_refused(make_run: Make) -> None:
    run = make_run("finetune")
    (run / "frames" / "thin_00001_rainy.png").write_bytes(b"<svg onload='alert(1)'>")
    with pytest.raises(InputError, match=r"thin_00001_rainy\.png is not a PNG image"):
        write_report([run], run / "out.html")


def test_the_file_is_replaced_whole_or_not_at_all(make_run: Make, tmp_path: Path) -> None:
    run = make_run("finetune")
    out = tmp_path / "new" / "report.html"
    write_report([run], out)
    first = out.read_bytes()
    write_report([run], out, title="Other")
    assert out.read_bytes() != first
    assert list(out.parent.iterdir()) == [out]
    with pytest.raises(OutputError, match="cannot write"):
        write_report([run], out.parent)  # a folder
    with pytest.raises(OutputError, match="choose a writable file name"):
        write_report([run], out / "below.html")  # below a file
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finetune", "new"]
