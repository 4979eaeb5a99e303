"""`weights`: a run that begins where another ended."""

from pathlib import Path
from typing import Any

import pytest
import torch

from raincheck.errors import ConfigError, WeightsError
from raincheck.networks import RRGNet, load_network, save_weights, start_from
from test_run import start
from tinytasks import Strike, same

STRIKE = {"class_path": "tinytasks.Strike"}


@pytest.mark.slow
def test_the_scores_before_learning_are_those_after_the_run_before(tmp_path: Path) -> None:
    before = start(tmp_path / "before")
    after = start(tmp_path / "after", weights=str(tmp_path / "before"))
    plain = start(tmp_path / "plain")
    for name, found in after["metrics"].items():
        assert found["R"][0] == pytest.approx(before["metrics"][name]["R"][-1], rel=1e-5)
        assert plain["metrics"][name]["R"][0] != found["R"][0]
    assert after["setting"]["weights"] == str(tmp_path / "before")


def test_every_expert_begins_with_them(tmp_path: Path) -> None:
    """With a rate of 0 nothing is learned, so each expert's weights, and the last one's, are those it began with."""
    network = RRGNet(window=3, width=4)
    save_weights(network, tmp_path / "begin.safetensors")
    rest: dict[str, Any] = {"optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.0}}}
    start(tmp_path / "run", plugins=[], learn="individual", weights=str(tmp_path / "begin.safetensors"), **rest)
    assert same(load_network(tmp_path / "run").state_dict(), network.state_dict())


def test_weights_of_another_network_are_refused_and_leave_no_folder(tmp_path: Path) -> None:
    save_weights(RRGNet(window=3, width=6), tmp_path / "wide.safetensors")
    with pytest.raises(WeightsError) as error:
        start(tmp_path / "run", weights=str(tmp_path / "wide.safetensors"))
    assert str(error.value) == (
        f"{tmp_path / 'wide.safetensors'} is for RRGNet(window=3, width=6, depth=1, grouped=True), but the run's "
        "network is RRGNet(window=3, width=4, depth=1, grouped=True); set its class_path and init_args as the weights "
        "have them"
    )
    assert not (tmp_path / "run").exists()


def test_grouping_is_no_shape_and_is_refused_all_the_same(tmp_path: Path) -> None:
    plain, grouped = RRGNet(window=3, width=4, grouped=False), RRGNet(window=3, width=4)
    shapes = [{name: value.shape for name, value in one.state_dict().items()} for one in (plain, grouped)]
    assert shapes[0] == shapes[1]
    save_weights(plain, tmp_path / "plain.safetensors")
    with pytest.raises(WeightsError, match=r"is for RRGNet\(window=3, width=4, depth=1, grouped=False\)"):
        start_from(grouped, tmp_path / "plain.safetensors")


def test_the_network_that_has_no_weights_is_no_beginning() -> None:
    with pytest.raises(WeightsError, match=r"^identity is for Identity\("):
        start_from(RRGNet(window=3, width=4), "identity")


def test_a_killed_run_does_not_go_on_from_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "begin.safetensors"
    save_weights(RRGNet(window=3, width=4), weights)
    monkeypatch.setattr(Strike, "armed", True)
    with pytest.raises(SystemError):
        start(tmp_path / "run", plugins=[STRIKE], weights=str(weights))
    monkeypatch.setattr(Strike, "armed", False)
    torch.manual_seed(1)
    save_weights(RRGNet(window=3, width=4), weights)
    with pytest.raises(ConfigError, match=r"was begun with other data: .*begin.safetensors changed since"):
        start(tmp_path / "run", plugins=[STRIKE], weights=str(weights))
