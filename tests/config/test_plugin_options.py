"""`--plugins.CLASS.ARGUMENT VALUE` changes one plugin of a method."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from raincheck.config import dump, parse
from raincheck.errors import ConfigError

DEMO = Path(__file__).parents[2] / "src" / "raincheck" / "demo"
FILES = [f"--config={DEMO / 'stream.yaml'}", f"--config={DEMO / 'rrgnet.yaml'}"]


def plugins(*options: str) -> dict[str, Any]:
    """The arguments of a method's plugins by class."""
    resolved = yaml.safe_load(dump(parse([*FILES, *options])))["plugins"]
    return {plugin["class_path"].rpartition(".")[2]: plugin["init_args"] for plugin in resolved}


def test_one_argument_of_one_plugin() -> None:
    before = plugins()
    changed = plugins("--plugins.RainReview.batch=3", "--seed", "2", "--plugins.Distillation.review", "1e-05")
    assert changed["RainReview"] == {**before["RainReview"], "batch": 3}
    assert changed["Distillation"] == {**before["Distillation"], "review": 1e-5}
    assert changed["CosineSchedule"] == before["CosineSchedule"] and list(changed) == list(before)


def test_all_else_stays_as_it_is() -> None:
    with_it, without = (parse([*FILES, *more]) for more in (["--plugins.RainReview.batch=6"], []))
    assert dump(with_it) == dump(without)  # six is what the file says


def test_the_last_plugin_that_was_added() -> None:
    assert plugins("--plugins+=EWC", "--plugins.EWC.ewc_lambda=0.5")["EWC"]["ewc_lambda"] == 0.5


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        (["--plugins={'RainReview': {'batch': 3, 'seed': None}}"], "RainReview", {"batch": 3, "seed": None}),
        (["--plugins", "{RainReview: {batch: 3}, Distillation: {review: 1e-05}}"], "Distillation", {"review": 1e-5}),
        (["--plugins.RainReview.seed=4", "--plugins.RainReview.seed=None"], "RainReview", {"seed": None}),
        (["--plugins.RainReview.seed", "None"], "RainReview", {"seed": None}),
        (["--plugins.Distillation.from_start"], "Distillation", {"from_start": True}),
        (["--plugins.Distillation.from_start", "--seed=2"], "Distillation", {"from_start": True}),
    ],
)
def test_what_wandbs_agents_write(options: list[str], name: str, expected: dict[str, Any]) -> None:
    found = plugins(*options)[name]
    assert {argument: found.get(argument) for argument in expected} == expected  # null is left out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--plugins.RainRevue.batch=3"],
            "--plugins.RainRevue.batch: the method has no plugin RainRevue; "
            "it has CosineSchedule, RainReview, Distillation",
        ),
        (
            ["--plugins+=RainReview", "--plugins.RainReview.batch=3"],
            "--plugins.RainReview.batch: the method has more than one plugin RainReview; "
            "it has CosineSchedule, RainReview, Distillation, RainReview",
        ),
        (["--plugins.RainReview.batch"], None),
        (["--plugins={RainRevue: {batch: 3}}"], None),
        (["--plugins={Distillation: {review: {class_path: os.system}}}"], None),
        (["--plugins.RainReview.bach=3"], None),
        (["--plugins.RainReview.batch=few"], None),
        (
            ["--plugins.Distillation.review={class_path: os.system}"],
            "the class os.system is not of raincheck, avalanche, lightning, torch; "
            "pass --trust if you know what it does",
        ),
    ],
)
def test_mistakes_are_one_sentence(options: list[str], sentence: str | None) -> None:
    with pytest.raises(ConfigError) as error:
        plugins(*options)
    assert "\n" not in str(error.value)
    if sentence:
        assert str(error.value) == sentence
