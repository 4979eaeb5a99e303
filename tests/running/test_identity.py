"""A run's name is that of what it computes, and of nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from raincheck.config import dump, parse
from raincheck.running.identity import identity

FILE = """
stream:
  crop: 16
  tasks:
    - {class_path: raincheck.datasets.rendered.RenderedRain, init_args: {name: a, rain: thin, photographs: bundled}}
    - {class_path: raincheck.datasets.rendered.RenderedRain, init_args: {name: b, rain: wind, photographs: bundled}}
plugins: [{class_path: raincheck.plugins.RainReview, init_args: {budget: 1000}}]
"""


@pytest.fixture
def resolved(tmp_path: Path) -> Any:
    """Options to a resolved configuration's content."""
    (tmp_path / "a.yaml").write_text(FILE)
    return lambda *options: yaml.safe_load(dump(parse(["--config", str(tmp_path / "a.yaml"), *options])))


@pytest.mark.parametrize(
    "options",
    [
        ["--workers", "2"],
        ["--tracking", "none"],
        ["--save_every", "1"],
        ["--stream.root", "elsewhere"],
        ["--stream.held", "0"],
        ["--stream.augment.mirror", "0.5"],
        ["--seed", "0"],  # these are so already
        ["--stream.steps", "600"],
        ["--network.init_args.window", "5"],
        ["--plugins", "[{class_path: raincheck.plugins.RainReview, init_args: {mode: clips, budget: 1000}}]"],
    ],
)
def test_what_changes_no_number_changes_no_name(resolved: Any, options: list[str]) -> None:
    assert identity(resolved(*options)) == identity(resolved())


@pytest.mark.parametrize(
    "options",
    [
        ["--seed", "1"],
        ["--method", "other"],
        ["--stream.order", "[1, 0]"],
        ["--stream.steps", "601"],
        ["--stream.augment.mirror", "0.4"],
        ["--network.init_args.width", "4"],
        ["--optimizer.init_args.lr", "0.01"],
        ["--plugins", "[{class_path: raincheck.plugins.RainReview, init_args: {budget: 1001}}]"],
        ["--plugins", "[]"],
        ["--trainer", "{max_time: 1}"],
    ],
)
def test_what_changes_numbers_changes_the_name(resolved: Any, options: list[str]) -> None:
    assert identity(resolved(*options)) != identity(resolved())


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_nothing_in_place_of_a_default_is_another_run(nothing: Any) -> None:
    """As `early_stop_threshold: null`, without which the search goes on, where 4 is the default."""
    finder: dict[str, Any] = {"class_path": "lightning.pytorch.callbacks.LearningRateFinder", "init_args": {}}
    usual = identity({"trainer": {"callbacks": [finder]}})
    finder["init_args"]["early_stop_threshold"] = 4.0
    assert identity({"trainer": {"callbacks": [finder]}}) == usual
    finder["init_args"]["early_stop_threshold"] = nothing
    assert identity({"trainer": {"callbacks": [finder]}}) != usual


def test_a_class_that_is_given_another_argument_keeps_the_name(resolved: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from raincheck import plugins

    before = identity(resolved())

    class RainReview(plugins.RainReview):
        __module__ = plugins.__name__

        def __init__(
            self, budget: int = 7, batch: int = 4, seed: int | None = None, mode: str = "clips", extra: float = 0.5
        ) -> None:
            super().__init__(budget, batch, seed, mode)

    monkeypatch.setattr(plugins, "RainReview", RainReview)
    now = resolved()
    assert now["plugins"][0]["init_args"]["extra"] == 0.5
    assert identity(now) == before
