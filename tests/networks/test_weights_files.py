"""Weights files: round trips, and what is refused."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from raincheck.errors import ConfigError, OutputError, WeightsError
from raincheck.networks import Identity, RRGNet, find_weights, load_network, save_weights
from raincheck.networks.catalogue import network_classes
from raincheck.networks.weights import check_arguments


def untrained(**kwargs: Any) -> RRGNet:
    """With a head that is not zero, or every network would be the identity."""
    torch.manual_seed(0)
    network = RRGNet(**kwargs)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network.eval()


@pytest.mark.parametrize(
    "arguments", [{"window": 3, "width": 4}, {"window": 5, "width": 6, "depth": 2, "grouped": False}, {"window": 1}]
)
def test_round_trip(tmp_path: Path, arguments: dict[str, Any]) -> None:
    network = untrained(**arguments)
    save_weights(network, str(tmp_path / "w.safetensors"), {"method": "x"})  # a text is a path, as for all others
    loaded = load_network(tmp_path / "w.safetensors")
    assert type(loaded) is RRGNet and loaded.arguments == network.arguments and not loaded.training
    clip = torch.rand(2, network.window, 3, 13, 18)
    with torch.no_grad():
        assert torch.equal(loaded(clip), network(clip)) and not torch.equal(loaded(clip), clip[:, network.window // 2])
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    network, about = untrained(window=3, width=4), {name: name for name in "fedcba"}
    # safetensors shuffles metadata: two files of eight entries are alike by chance once in 40,000.
    for index in range(4):
        save_weights(network, tmp_path / f"{index}.safetensors", about)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    with safe_open(tmp_path / "0.safetensors", "pt") as file:
        assert about.items() <= file.metadata().items()
        assert all(torch.equal(file.get_tensor(name), value) for name, value in network.state_dict().items())


def test_weights_that_somebody_has_halved_are_float32_again(tmp_path: Path) -> None:
    network = untrained(window=3, width=4)
    about = {"network": "RRGNet", "arguments": json.dumps(network.arguments)}
    halves = {name: value.half() for name, value in network.state_dict().items()}
    save_file(halves, tmp_path / "w.safetensors", about)
    loaded = load_network(tmp_path / "w.safetensors").state_dict()
    assert all(torch.equal(loaded[name], value.float()) for name, value in halves.items())
    assert {value.dtype for value in loaded.values()} == {torch.float32}


def test_a_runs_folder_is_weights_too(tmp_path: Path) -> None:
    save_weights(untrained(window=3, width=4), tmp_path / "weights.safetensors")
    assert load_network(tmp_path).window == 3
    assert load_network(str(tmp_path)).window == 3


def test_identity() -> None:
    network = load_network("identity")
    clip = torch.rand(2, 1, 3, 5, 7)
    assert isinstance(network, Identity) and torch.equal(network(clip), clip[:, 0])
    wide = Identity(5)(torch.arange(5.0).reshape(1, 5, 1, 1, 1).expand(1, 5, 3, 2, 2))
    assert torch.equal(wide, torch.full((1, 3, 2, 2), 2.0))  # the centre; training clamps nothing


@pytest.mark.parametrize("window", [3, 7])
@pytest.mark.parametrize("training", [True, False])
def test_a_clip_of_another_length_is_refused(window: int, training: bool) -> None:
    network = RRGNet(window=window, width=4).train(training)
    sentence = f"^RRGNet sees windows of {window} frames, but was given clips of 5; set the data's window to the net"
    with pytest.raises(ConfigError, match=sentence):
        network(torch.rand(1, 5, 3, 16, 16))


class Forgetful(Identity):
    """A network whose author did not keep all that it was made of."""

    def __init__(self, channels: int = 1, window: int = 1, kept: Any = ("channels", "window")) -> None:
        super().__init__(window)
        self.layer = torch.nn.Linear(channels, 1)
        known = {"channels": channels, "window": window, "path": Path()}
        self.arguments = {name: known[name] for name in kept}
        if not kept:
            del self.arguments


@pytest.mark.parametrize(
    ("kept", "wrong"),
    [
        (["window"], r"layer\.weight \(1, 2\) instead of \(1, 1\)"),
        (["channels"], "a window of 3 instead of 1"),
        (["channels", "window", "path"], "Object of type PosixPath is not JSON serializable"),
        ([], "'Forgetful' object has no attribute 'arguments'"),
    ],
)
def test_a_network_that_could_not_be_loaded_again_is_refused_before_it_learns(kept: list[str], wrong: str) -> None:
    sentence = rf"^weights of Forgetful could not be loaded again \({wrong}\); let its constructor set the attribute "
    with pytest.raises(ConfigError, match=sentence):
        check_arguments(Forgetful(2, 3, kept))


def test_a_network_that_keeps_its_arguments_is_not_refused() -> None:
    for network in (Forgetful(2, 3), RRGNet(window=3, width=4, grouped=False), Identity(5)):
        check_arguments(network)


def test_every_network_of_the_folder_is_known() -> None:
    assert {"RRGNet", "Identity"} <= set(network_classes())


def test_weights_of_another_network_name_the_shapes_that_differ(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    about = {"network": "RRGNet", "arguments": json.dumps({"window": 3, "width": 6})}
    save_file({k: v.contiguous() for k, v in untrained(window=3, width=4).state_dict().items()}, path, about)
    with pytest.raises(WeightsError) as error:
        load_network(path)
    assert str(error.value) == (
        f"{path} holds weights of another network than RRGNet: branches.0.bias (4,) instead of (6,); "
        "branches.0.weight (4, 12, 3, 3) instead of (6, 18, 3, 3); fuse.bias (4,) instead of (6,) "
        "and 34 more; give weights that were trained with these network settings"
    )
    tensors = untrained(window=3, width=4).state_dict()
    del tensors["head.bias"]
    about["arguments"] = json.dumps({"window": 3, "width": 4})
    save_file({**tensors, "tail": torch.ones(2)}, path, about)
    with pytest.raises(WeightsError, match=r"head.bias missing instead of \(12,\); tail \(2,\) instead of none; give "):
        load_network(path)


@pytest.mark.parametrize(
    ("about", "sentence"),
    [
        ({}, "is for the network None; raincheck knows "),
        ({"network": "os.system"}, "is for the network 'os.system'; raincheck knows "),
        ({"network": "ClipNetwork", "arguments": "{}"}, "is for the network 'ClipNetwork'; raincheck knows "),
        ({"network": "RRGNet"}, "has arguments that RRGNet does not take"),
        ({"network": "RRGNet", "arguments": "["}, "has arguments that RRGNet does not take"),
        ({"network": "RRGNet", "arguments": "[3]"}, "has arguments that RRGNet does not take"),
        ({"network": "RRGNet", "arguments": '{"windows": 3}'}, "has arguments that RRGNet does not take"),
        ({"network": "RRGNet", "arguments": '{"window": "3"}'}, "has arguments that RRGNet does not take"),
        ({"network": "RRGNet", "arguments": '{"window": 2}'}, "has arguments that RRGNet does not take"),
        (
            {"network": "RRGNet", "arguments": '{"width": 30000}'},
            "holds weights of another network than RRGNet: a (1,)",
        ),
    ],
)
def test_foreign_metadata(tmp_path: Path, about: dict[str, str], sentence: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(1)}, path, about)
    with pytest.raises(WeightsError) as error:
        load_network(path)
    assert str(error.value).startswith(f"{path} {sentence}") and "\n" not in str(error.value)
    assert "RRGNet" in str(error.value)


def test_a_network_of_ones_own_is_told_its_place(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors", {"network": "Mine", "arguments": "{}"})
    with pytest.raises(WeightsError, match=r"'Mine'; raincheck knows .+, and what you put into raincheck/networks$"):
        load_network(tmp_path / "w.safetensors")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_garbage_and_hostile_files_run_nothing(tmp_path: Path) -> None:
    good = tmp_path / "good.safetensors"
    save_weights(untrained(window=3, width=4), good)
    contents = {
        "empty": b"",
        "noise": bytes(range(256)) * 20,
        "half": good.read_bytes()[:2000],
        "pickle": pickle.dumps(Bomb(tmp_path / "hit")),
    }
    torch.save(Bomb(tmp_path / "hit"), tmp_path / "torch")
    contents["torch"] = (tmp_path / "torch").read_bytes()
    for name, content in contents.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"is not a readable safetensors file \(.*\); give weights that") as e:
            load_network(path)
        assert "\n" not in str(e.value)
    assert not (tmp_path / "hit").exists()


def test_missing_weights(tmp_path: Path) -> None:
    for path, looked in ((tmp_path / "none", tmp_path / "none"), (tmp_path, tmp_path / "weights.safetensors")):
        with pytest.raises(WeightsError) as error:
            load_network(path)
        assert str(error.value).startswith(
            f"no weights at {looked}; give `rrgnet`, `rrgnet-small`, `identity`, a .safetensors file, or"
        )


def test_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"^cannot write .*; choose a writable place with free space$"):
        save_weights(Identity(), tmp_path / "file" / "w.safetensors")
    with pytest.raises(OutputError, match=r"^cannot write "):
        save_weights(Identity(), tmp_path / "none" / "w.safetensors")


@pytest.mark.parametrize("given", ["./rrgnet", Path("rrgnet")])
def test_what_lies_in_the_working_directory_does_not_pass_for_shipped_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str | Path
) -> None:
    monkeypatch.chdir(tmp_path)
    save_weights(RRGNet(window=3, width=4), tmp_path / "rrgnet")
    assert find_weights("rrgnet").parent.name == "weights"
    assert find_weights(given).resolve() == tmp_path / "rrgnet"
