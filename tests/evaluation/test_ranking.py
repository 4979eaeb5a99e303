"""Rankings of hand-written reports: every number can be told from the matrices."""

from typing import Any

import pytest
import scipy.stats

from raincheck.errors import InputError
from raincheck.evaluation.ranking import Ranking
from raincheck.evaluation.results import read_result
from raincheck.evaluation.rows import comparable_groups
from raincheck.evaluation.scores import COLUMNS
from reports import individual, joint, matrix, ranking_of, report

OURS, THEIRS = (30.0, 31.0, 30.5), (29.0, 30.5, 29.2)


def two(seeds: int = 3) -> list[dict[str, Any]]:
    return [
        report(name, matrix(average, lost), seed=seed)
        for name, averages, lost in (("theirs", THEIRS, 4.0), ("ours", OURS, 0.5))
        for seed, average in enumerate(averages[:seeds])
    ]


def names(ranking: Ranking) -> list[str]:
    return [row.name for row in ranking.rows]


def test_means_intervals_and_paired_differences() -> None:
    ranking = ranking_of(two())
    ours, theirs = ranking.rows
    assert (names(ranking), ranking.against, ranking.seeds) == (["ours", "theirs"], "ours", 3)
    assert ours.scores["average"].mean == pytest.approx(30.5)
    # t(0.975, 2) = 4.30265 in any table; s = 0.5.
    assert ours.scores["average"].half == pytest.approx(4.30265 * 0.5 / 3**0.5, rel=1e-5)
    assert theirs.scores["forgetting"].mean == pytest.approx(4) and theirs.scores["BWT"].mean == pytest.approx(-4)
    difference = theirs.differences["average"]
    expected = scipy.stats.ttest_rel(THEIRS, OURS)
    assert (difference.pairs, difference.effect.mean) == (3, pytest.approx(expected.statistic * _error()))
    assert difference.t_test == pytest.approx(expected.pvalue) and difference.wilcoxon == pytest.approx(0.25)
    assert theirs.differences["forgetting"].effect.mean == pytest.approx(3.5)
    assert ours.differences == {}


def _error() -> float:
    return float(scipy.stats.sem([one - other for one, other in zip(THEIRS, OURS, strict=True)]))


def test_lower_is_better_turns_the_ranking_and_not_the_forgetting() -> None:
    """Temporal forgetting: an error that grew is forgotten."""
    ranking = ranking_of(two(), "temporal_y")
    assert names(ranking) == ["ours", "theirs"] and not ranking.higher_is_better
    assert [row.scores["forgetting"].mean for row in ranking.rows] == pytest.approx([0.5, 4.0])
    average = ranking.rows[1].differences["average"].effect.mean
    assert average is not None and average > 0 and not ranking.better(COLUMNS["average"], average)
    assert ranking.better(COLUMNS["BWT"], 1.0) and not ranking.better(COLUMNS["forgetting"], 1.0)


@pytest.mark.parametrize("metric", ["psnr_y", "temporal_y"])
def test_rows_without_an_average_are_last(metric: str) -> None:
    lost = report("lost", [[20.0, 20.0], [31.0, 20.0], [None, 31.0]])
    ranking = ranking_of([lost, report("worse", matrix(29.0)), report("better", matrix(30.0))], metric)
    assert names(ranking) == ["better", "worse", "lost"] and ranking.against == "better"
    assert ranking.rows[-1].scores["average"].mean is None


def test_a_single_row_is_compared_with_none() -> None:
    ranking = ranking_of([report("ours", matrix(30.0), seed=seed) for seed in range(2)])
    assert ranking.against is None and ranking.rows[0].differences == {}
    assert [column.name for column in ranking.columns] == ["average", "forgetting", "BWT", "FWT", "learned"]


def test_pairs_are_of_one_seed_and_one_order() -> None:
    """The other order's scores are far away: means differ, paired differences do not."""
    reports = []
    for base, tasks in ((30.0, ["thin", "wind"]), (20.0, ["wind", "thin"])):
        for seed in range(2):
            reports += [report("a", matrix(base + seed), seed=seed, tasks=tasks)]
            reports += [report("b", matrix(base + seed + 1), seed=seed, tasks=tasks)]
    reports.append(report("b", matrix(50.0), seed=7))
    ranking = ranking_of(reports, against="a")
    assert ranking.orders == [("thin", "wind"), ("wind", "thin")]
    row = ranking.row("b")
    assert (row.runs, row.differences["average"].pairs) == (5, 4)
    assert row.differences["average"].effect.interval == pytest.approx((1, 1))
    assert ranking.row("a").notes == ["1 of 5 seeds and orders are missing"]


def test_an_order_that_is_one_rows_own_is_missing_from_no_other() -> None:
    """As in a grid where the order is a factor: three rows have one order, the fourth another."""
    reports = [report(name, matrix(30.0), seed=seed) for name in "abc" for seed in range(2)][:-1]
    reports += [report("d", matrix(31.0), seed=seed, tasks=["wind", "thin"]) for seed in range(2)]
    ranking = ranking_of(reports, against="a")
    notes = {name: [note for note in ranking.row(name).notes if "differs" not in note] for name in "abcd"}
    assert notes["a"] == notes["b"] == []
    assert notes["c"] == ["1 of 2 seeds and orders are missing"]
    assert notes["d"] == ["has no seed and order of the other rows"]


def test_gaps_and_lost_plasticity_against_bounds_of_the_same_seed() -> None:
    reports = [report("ours", matrix(30.0, 1.0), seed=seed, tasks=["thin", "wind"]) for seed in (0, 1)]
    reports += [joint(31.0 + seed, seed=seed, tasks=["wind", "thin"]) for seed in (0, 1)]
    reports += [individual(32.0, 33.0 + seed, seed=seed) for seed in (0, 1)]
    ranking = ranking_of(reports)
    scores = ranking.row("ours").scores
    # R: thin 30.5, then 29.5; wind 30.5.
    assert scores["gap to joint"].mean == pytest.approx(1.5)
    assert scores["gap to individual"].mean == pytest.approx((2.5 + 3.0) / 2)
    assert scores["lost plasticity"].mean == pytest.approx((2.5 + 3.5) / 2)
    assert scores["learned"].mean == pytest.approx(30.5)
    assert names(ranking) == ["ours", "individual", "joint"] and ranking.against == "ours"
    assert [row.is_bound for row in ranking.rows] == [False, True, True]
    assert ranking.row("joint").scores["gap to joint"].mean is None
    assert ranking.row("joint").costs["memory_bytes"].mean is None, "all data must be at hand"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"seed": 5}, "has no run of seed 0"),
        ({"setting": {"data.thin": "a", "stream.steps": 60}}, "differs in stream.steps (60, not 600)"),
    ],
)
def test_a_bound_of_another_seed_or_budget_is_none(change: dict[str, Any], why: str) -> None:
    ranking = ranking_of([report("ours"), joint(31.0, **change)])
    assert ranking.row("ours").scores["gap to joint"].mean is None
    assert ranking.row("ours").notes == [f"no gap to joint, which {why}"]


def test_a_gap_that_one_seed_lacks_is_explained() -> None:
    reports = [report("ours", matrix(30.0), seed=seed) for seed in range(3)]
    ranking = ranking_of([*reports, joint(31.0, seed=1), *(individual(31.0, 31.0, seed=seed) for seed in range(3))])
    assert ranking.row("ours").scores["gap to joint"].mean is None
    assert ranking.row("ours").notes == ["no gap to joint, which has no run of seed 0, 2"]
    assert ranking.row("joint").notes == ranking.row("individual").notes == []


def test_the_bound_of_the_same_order_is_preferred() -> None:
    reports = [report("ours", matrix(30.0)), joint(31.0), joint(40.0, tasks=["wind", "thin"])]
    assert ranking_of(reports).row("ours").scores["gap to joint"].mean == pytest.approx(1)
    assert ranking_of([reports[0], reports[2]]).row("ours").scores["gap to joint"].mean == pytest.approx(10)


def test_cells_are_rows() -> None:
    ranking = ranking_of([{**report("rrgnet", matrix(30.0 + n)), "cell": f"budget={n}"} for n in range(3)])
    assert names(ranking) == ["budget=2", "budget=1", "budget=0"] and ranking.kind == "cell"


def test_holm_is_over_the_rows_that_are_compared() -> None:
    reports = [*two(), *(report("third", matrix(average + 0.1), seed=seed) for seed, average in enumerate(THEIRS))]
    rows = [row for row in ranking_of(reports, against="ours").rows if row.differences]
    plain = sorted(row.differences["average"].t_test or 0 for row in rows)
    assert sorted(row.differences["average"].holm or 0 for row in rows) == pytest.approx(
        [2 * plain[0], max(2 * plain[0], plain[1])]
    )


def test_other_networks_and_budgets_are_said() -> None:
    small = {"data.thin": "a", "data.wind": "b", "stream.steps": 60, "network.init_args.window": 3}
    ranking = ranking_of([report("rrgnet"), report("small", matrix(25.0), setting=small)])
    assert ranking.row("small").notes == [
        "differs from rrgnet in stream.steps (60, not 600), network.init_args.window (3, not 5)"
    ]
    assert ranking.row("rrgnet").notes == [] and ranking.notes == []


def test_what_reports_do_not_say_is_said() -> None:
    ranking = ranking_of([report("old", setting={}), report("new", machine="A"), report("far", machine="B")])
    assert ranking.notes == [
        "reports do not say with which data, network and steps: old",
        "training times are of 2 different machines",
    ]


OTHER = {"data.thin": "other", "data.wind": "b"}
MISTAKES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nothing": ([], "there are no runs to compare; give at least one finished run"),
    "twice": (
        [report("ewc"), report("ewc")],
        "ewc is there twice with seed 0 and order thin, wind; leave one out",
    ),
    "other data": (
        [report("ewc"), report("lwf", setting=OTHER)],
        "lwf cannot be compared with ewc: the data of thin are not the same; report them apart",
    ),
    "other tasks": (
        [report("ewc"), report("lwf", tasks=["thin", "veil"])],
        "lwf cannot be compared with ewc: its tasks are thin, veil, not thin, wind; report them apart",
    ),
    "mixed row": (
        [report("ewc"), report("ewc", seed=1, setting={"stream.steps": 5})],
        "runs of ewc differ in stream.steps (5, not 600); give them different names",
    ),
    "mixed method": (
        [report("ewc", setting={"recipe": "x"}), report("ewc", seed=1, setting={"recipe": "y"})],
        "runs of ewc differ in the method's own settings; give them different names",
    ),
    "no report": ([{"method": "ewc"}], "report 1 is not a report of `raincheck run` ('tasks')"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_compared_is_refused(mistake: str) -> None:
    reports, sentence = MISTAKES[mistake]
    with pytest.raises(InputError) as error:
        ranking_of(reports)
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value)


def test_unknown_metrics_and_rows_are_refused() -> None:
    sentence = r"^no report of ours, lwf has a metric 'vmaf'; choose one of psnr_y, temporal_y$"
    with pytest.raises(InputError, match=sentence):
        ranking_of([report("ours"), report("ours", seed=1), report("lwf")], "vmaf")
    with pytest.raises(InputError, match=r"^there is no 'lwf' to compare with; choose one of 'ours'$"):
        ranking_of([report("ours")], against="lwf")


def test_that_the_better_side_of_a_foreign_metric_is_a_guess_is_said() -> None:
    """One's own metric, read where its file is not: of an error, every sign would be turned without a word."""
    foreign = {"metrics": {"lpips": {"R": matrix(0.1)}, "temporal_y": {"R": matrix(9.0)}}}
    said = "lpips is not a metric of this raincheck: higher counts as better; restore its file if lower is"
    assert said in ranking_of([report("ours", **foreign)], "lpips").notes
    assert not any("taken for better" in note for note in ranking_of([report("ours", **foreign)], "temporal_y").notes)


def test_runs_without_the_metric_are_left_out_and_named() -> None:
    """Reports of an older version, say. Their row may be the one that all others were to be compared with."""
    old = {"metrics": {"temporal_y": {"R": matrix(9.0)}}}
    reports = [report("ours", matrix(30.0)), report("lwf", matrix(29.0)), report("lwf", seed=1), report("old", **old)]
    reports += [report("ours", seed=1, **old)]
    for against, foe in ((None, "ours"), ("lwf", "lwf"), ("old", "ours")):
        ranking = ranking_of(reports, against=against)
        assert (names(ranking), ranking.against) == (["ours", "lwf"], foe)
        assert ranking.notes == ["left out, because their reports have no psnr_y: old (seed 0), ours (seed 1)"]
        assert ranking.row("ours").runs == 1
    assert names(ranking_of(reports, "temporal_y")) == ["old", "ours", "lwf"]


def test_runs_are_split_where_they_cannot_be_compared() -> None:
    reports = [report("a"), report("b", setting=OTHER), report("c"), report("d", tasks=["wind", "thin"])]
    results = [read_result(one, "here") for one in reports]
    assert [[result.name for result in group] for group in comparable_groups(results)] == [["a", "c", "d"], ["b"]]


def test_bounds_are_known_by_what_their_matrices_leave_out() -> None:
    ways = [read_result(one, "here").learn for one in (report("x"), joint(30.0), individual(30.0, 31.0))]
    assert ways == ["in_turn", "joint", "individual"]
    assert read_result(report("all so far", learn="cumulative"), "here").is_bound
    one = report("joint", [[20.0], [30.0]], tasks=["thin"], metrics={"psnr_y": {"R": [[20.0], [30.0]]}})
    assert read_result(one, "here").learn == "joint"
