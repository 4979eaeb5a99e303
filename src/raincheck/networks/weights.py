"""Weights files: safetensors with the network's name and arguments in the metadata."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from raincheck.errors import ConfigError, WeightsError, one_line
from raincheck.files import replace_file
from raincheck.networks.base import ClipNetwork
from raincheck.networks.catalogue import network_classes
from raincheck.networks.identity import Identity

# Names of weights in the package, whose model cards are beside them.
SHIPPED = ("rrgnet", "rrgnet-small")


def blueprint(network: nn.Module) -> dict[str, str]:
    """Metadata from which `build_network` makes such a network; the class's name alone if it is not of this folder."""
    name = type(network).__name__
    ours = isinstance(network, ClipNetwork) and network_classes().get(name) is type(network)
    return {"network": name, **({"arguments": json.dumps(network.arguments)} if ours else {})}


def save_weights(network: ClipNetwork, path: str | Path, metadata: dict[str, str] | None = None) -> None:
    """Writes weights whole or not at all.

    Args:
        network: its `state_dict` is written, its class name and arguments go into the metadata.
        path: a `.safetensors` file; replaced if it exists.
        metadata: more to keep beside the weights.

    Raises:
        OutputError: if the file cannot be written.
    """
    about = {"network": type(network).__name__, "arguments": json.dumps(network.arguments), **(metadata or {})}
    state = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    content = with_sorted_metadata(save(state, about))
    replace_file(Path(path), lambda partial: partial.write_bytes(content))


def with_sorted_metadata(content: bytes) -> bytes:
    """A safetensors file with its metadata sorted: the library shuffles them, and equal weights made unequal files."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text = text.ljust(-(-len(text) // 8) * 8)  # tensors begin at a multiple of 8 bytes
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def find_weights(weights: str | Path) -> Path:
    """The file that `weights` names: `rrgnet` or `rrgnet-small` (shipped), a run's folder, or a file.

    A file or folder that is called like shipped weights is meant by a `Path`, or by `./rrgnet`.

    Raises:
        WeightsError: if there is none.
    """
    path = Path(weights)
    if weights in SHIPPED:
        path = Path(str(resources.files("raincheck") / "weights" / f"{weights}.safetensors"))
    elif path.is_dir():
        path = path / "weights.safetensors"
    if not path.is_file():
        raise WeightsError(
            f"no weights at {path}; give `rrgnet`, `rrgnet-small`, `identity`, a .safetensors file, or the folder of a "
            "finished run"
        )
    return path


def load_network(weights: str | Path = "rrgnet") -> ClipNetwork:
    """Builds the network that a weights file names, in evaluation mode on the CPU.

    Args:
        weights: `rrgnet` or `rrgnet-small` (shipped with the package), `identity`, a weights file, or a run's folder.

    Raises:
        WeightsError: if the file is missing, is no safetensors file, names an unknown network, or does not fit it.
    """
    if weights == "identity":
        return Identity().eval()
    path = find_weights(weights)
    try:
        with safe_open(path, "pt") as file:
            about: dict[str, str] = file.metadata() or {}
            state: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path} is not a readable safetensors file ({error}); give weights that raincheck "
            "saved, not an exported network"
        ) from None
    network = build_network(about, path)
    load_state(network, state, path)
    return network.eval()


def start_from(network: ClipNetwork, weights: str | Path) -> None:
    """Gives a network the weights of another of its class and arguments, to learn on from.

    Args:
        network: on the CPU; its values are replaced.
        weights: as in `load_network`.

    Raises:
        WeightsError: if the file cannot be loaded, or is for a network of another class or other arguments.
    """
    given = load_network(weights)
    if type(given) is not type(network) or given.arguments != network.arguments:
        raise WeightsError(
            f"{weights} is for {_described(given)}, but the run's network is {_described(network)}; set its class_path "
            "and init_args as the weights have them"
        )
    network.load_state_dict(given.state_dict())


def _described(network: ClipNetwork) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in network.arguments.items())
    return f"{type(network).__name__}({arguments})"


def build_network(about: dict[str, str], path: str | Path) -> ClipNetwork:
    """The network that a weights file's metadata describes, without values yet.

    It takes no memory before its shapes are known to be the file's: metadata may ask for any size.

    Raises:
        WeightsError: if the metadata names no network of ours or arguments it does not take.
    """
    classes = network_classes()
    name = about.get("network")
    if name not in classes:
        raise WeightsError(
            f"{path} is for the network {name!r}; raincheck knows {', '.join(sorted(classes))}, and what "
            "you put into raincheck/networks"
        )
    try:
        arguments: dict[str, Any] = json.loads(about["arguments"])
        with torch.device("meta"):
            return classes[name](**arguments)
    except (KeyError, TypeError, ValueError, RuntimeError, ConfigError) as error:
        raise WeightsError(f"{path} has arguments that {name} does not take ({error}); save it again") from None


def load_state(network: ClipNetwork, state: dict[str, Tensor], path: str | Path) -> None:
    """Copies `state` into `network`, on the CPU.

    Raises:
        WeightsError: naming the tensors whose shapes differ.
    """
    if differ := differing(network, state):
        raise WeightsError(
            f"{path} holds weights of another network than {type(network).__name__}: {differ}; "
            "give weights that were trained with these network settings"
        )
    # Not `to_empty`, for which torch imports sympy: half a second.
    types = {key: value.dtype for key, value in network.state_dict().items()}
    network.load_state_dict({key: value.to(types[key], copy=True) for key, value in state.items()}, assign=True)


def differing(network: ClipNetwork, state: dict[str, Tensor]) -> str:
    """The tensors of `state` whose shapes are not the network's, in words; nothing if there are none."""
    own = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in state.items()}
    differ = [
        f"{key} {given.get(key, 'missing')} instead of {own.get(key, 'none')}"
        for key in sorted(own | given)
        if own.get(key) != given.get(key)
    ]
    return "; ".join(differ[:3]) + (f" and {len(differ) - 3} more" if len(differ) > 3 else "")


def check_arguments(network: ClipNetwork) -> None:
    """Makes sure that weights saved of a network can be loaded again, before hours are spent on them.

    Raises:
        ConfigError: if a network made with its `arguments` is another.
    """
    try:
        with torch.device("meta"):
            again = type(network)(**json.loads(json.dumps(network.arguments)))
        wrong = differing(again, network.state_dict())
        if again.window != network.window:
            wrong = f"a window of {network.window} instead of {again.window}"
    except (AttributeError, TypeError, ValueError, RuntimeError, ConfigError) as error:
        wrong = one_line(error)
    if wrong:
        raise ConfigError(
            f"weights of {type(network).__name__} could not be loaded again ({wrong}); let its constructor set the "
            "attribute `arguments` to all that it was called with"
        )
