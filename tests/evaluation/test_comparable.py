"""What two runs must have in common."""

import copy
import inspect
from typing import Any

import pytest

from raincheck.datasets.rendered import RenderedRain
from raincheck.evaluation.comparable import digest, other_data, other_method, other_terms, setting

RAIN = "raincheck.datasets.rendered.RenderedRain"
CONFIG: dict[str, Any] = {
    "stream": {
        "tasks": [
            {"class_path": RAIN, "init_args": {"root": "/here/data", "rain": "thin", "film": "/here/data/bear.mp4"}},
            {"class_path": RAIN, "init_args": {"root": "/here/data", "rain": "wind", "film": "cat.mp4"}},
        ],
        "crop": 64,
        "steps": 600,
        "learn": "in_turn",
        "root": None,
        "augment": {"mirror": 0.5, "brightness": 0.0},
    },
    "network": {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 5}},
    "loss": {"class_path": "torch.nn.L1Loss"},
    "optimizer": {"class_path": "torch.optim.Adam"},
    "plugins": [],
    "trainer": {},
    "batch": 8,
    "seed": 0,
    "workers": 0,
}
TASKS, FILES = ["thin", "wind"], {"thin": "1", "wind": "2"}


def changed(*keys: Any, to: Any) -> dict[str, Any]:
    config = copy.deepcopy(CONFIG)
    inner: Any = config
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = to
    return setting(config, TASKS, FILES)


OURS = setting(CONFIG, TASKS, FILES)


def test_seed_workers_place_and_order_change_nothing() -> None:
    assert changed("seed", to=3) == changed("workers", to=2) == changed("stream", "root", to="/there") == OURS
    assert changed("stream", "tasks", 0, "init_args", "root", to="/there/data") == OURS
    assert changed("stream", "tasks", 0, "init_args", "film", to="/there/bear.mp4") == OURS
    listed = [
        changed("stream", "tasks", 0, "init_args", "train", to=[f"{place}/bear.mp4[:9]"])
        for place in ("/here", "/there")
    ]
    assert listed[0] == listed[1] != OURS
    assert changed("trainer", to={"accelerator": "cuda", "devices": 2}) == OURS
    backwards = copy.deepcopy(CONFIG)
    backwards["stream"]["tasks"].reverse()
    assert setting(backwards, TASKS[::-1], FILES) == OURS
    order = list(range(len(TASKS)))[::-1]  # the same, said by an option
    ordered = {**CONFIG, "stream": {**CONFIG["stream"], "order": order}}
    assert setting(ordered, TASKS[::-1], FILES) == OURS


@pytest.mark.parametrize(
    ("keys", "to", "terms"),
    [
        (("stream", "steps"), 60, ["stream.steps (60, not 600)"]),
        (("stream", "crop"), 32, ["stream.crop (32, not 64)"]),
        (("stream", "augment", "brightness"), 0.3, ["stream.augment.brightness (0.3, not 0.0)"]),
        (("batch",), 4, ["batch (4, not 8)"]),
        (("trainer",), {"precision": 16}, ["trainer ({'precision': 16}, not {})"]),
        (("network", "init_args", "window"), 3, ["network.init_args.window (3, not 5)"]),
        (("network", "class_path"), "Other", ["network.class_path (Other, not raincheck.networks.RRGNet)"]),
    ],
)
def test_network_and_budget_are_terms(keys: tuple[str, ...], to: Any, terms: list[str]) -> None:
    other = changed(*keys, to=to)
    assert other_terms(other, OURS) == terms and not other_data(other, OURS) and not other_method(other, OURS)


def test_other_rain_is_other_data() -> None:
    other = changed("stream", "tasks", 1, "init_args", "rain", to="veil")
    assert other_data(other, OURS) == ["wind"] and not other_terms(other, OURS)


def test_other_files_are_said() -> None:
    assert other_terms(setting(CONFIG, TASKS, {**FILES, "thin": "3"}), OURS) == ["files.thin"]


@pytest.mark.parametrize(
    ("keys", "to"),
    [
        (("plugins",), [{"class_path": "raincheck.plugins.RainReview"}]),
        (("optimizer",), {"class_path": "torch.optim.SGD"}),
        (("stream", "learn"), "joint"),
    ],
)
def test_what_a_method_may_choose_is_no_term(keys: tuple[str, ...], to: Any) -> None:
    other = changed(*keys, to=to)
    assert other_method(other, OURS) and not other_terms(other, OURS) and not other_data(other, OURS)


def test_what_one_does_not_say_is_no_difference() -> None:
    assert not other_data({}, OURS) and not other_terms(OURS, {}) and not other_method(OURS, {})


def test_an_argument_that_is_as_its_class_has_it_is_neither_other_data_nor_another_method() -> None:
    """As in the report of a run from before the class was given it, beside one of after."""
    task = CONFIG["stream"]["tasks"][1]
    said = {**task, "init_args": {**task["init_args"], "test_frames": 24}}
    assert inspect.signature(RenderedRain).parameters["test_frames"].default == 24
    assert changed("stream", "tasks", 1, to=said) == OURS
    loss = {"class_path": "torch.nn.L1Loss", "init_args": {"reduction": "mean"}}
    assert changed("loss", to=loss) == OURS != changed("loss", "init_args", to={"reduction": "sum"})


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1}) != digest({"a": 1, "b": [3]})
