"""Opening exported networks: graph and weights in one file, computed by onnxruntime or torch without our classes."""

import io
import logging
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from raincheck.errors import ConfigError, WeightsError, first_line
from raincheck.files import check_name
from raincheck.networks.base import ClipNetwork
from raincheck.networks.weights import load_network

SUFFIXES = {"onnx": ".onnx", "torch": ".pt2"}
BESIDE = "session.model_external_initializers_file_folder_path"
SILENT = 4


class Exported(ClipNetwork):
    """A network of which only the whole is there, on the CPU: from a clip to its derained centre frame.

    Nothing can be computed of a frame alone, so a frame's features are the frame itself.

    Args:
        window: frames of a clip, odd.
        compute: maps a clip `(b, t, c, h, w)` to the centre frame `(b, c, h, w)`, float32 in [0, 1].
    """

    def __init__(self, window: int, compute: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.window, self.compute, self.arguments = window, compute, {}

    def encode(self, frames: Tensor) -> Tensor:
        """Frames `(n, c, h, w)` as they are."""
        return frames

    def decode(self, features: Sequence[Tensor], centre: Tensor) -> Tensor:
        """Frames `(b, c, h, w)` to the derained centre `(b, c, h, w)`, which is among them."""
        return self.compute(torch.stack(list(features), dim=1))


def open_network(weights: str | Path, trust: bool = False) -> ClipNetwork:
    """What `load_network` builds, and exported networks too.

    Args:
        weights: `rrgnet` or the faster `rrgnet-small` (shipped), `identity`, a weights file, a run's folder, or an
            exported .onnx or .pt2 file.
        trust: open .pt2 files, whose content can run code.

    Raises:
        WeightsError: if there are no such weights, or they are not trusted.
        ConfigError: if the runtime is not installed.
    """
    path = Path(weights)
    check_name(path, WeightsError)
    if not path.is_file() or path.suffix.lower() not in SUFFIXES.values():
        return load_network(weights)
    if path.suffix.lower() == ".onnx":
        return open_onnx(path.read_bytes(), path)
    if not trust:
        raise WeightsError(
            f"{path} is a torch.export file, parts of which torch may unpickle, so that it can run any code; pass "
            "--trust if you know who made it, or export it as .onnx"
        )
    return open_torch(path.read_bytes(), path)


def require(purpose: str, *modules: str) -> None:
    """Looks for packages of the extra `onnx`.

    Raises:
        ConfigError: naming those that are not installed.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise ConfigError(f"{purpose} needs {', '.join(missing)}, not installed here; pip install 'raincheck[onnx]'")


def open_onnx(content: bytes, path: Path) -> Exported:
    """The network in an ONNX file, computed by onnxruntime on the CPU with as many threads as torch uses.

    Args:
        content: of the file.
        path: its name, for messages.

    Raises:
        WeightsError: if it is no ONNX file of a network from clips to frames.
        ConfigError: if onnxruntime is not installed.
    """
    require("an .onnx file", "onnxruntime")
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    # They share no base but Exception. For names that are not text onnxruntime raises a ValueError.
    failures = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = SILENT  # what it would print is in the exception too
    # torch.onnx.export can put weights into files beside it; onnxruntime takes them from this folder only.
    options.add_session_config_entry(BESIDE, str(path.parent))
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (*failures, state.RuntimeException, ValueError) as error:
        raise WeightsError(f"onnxruntime cannot read {path} ({first_line(error)}); export it again") from None
    ends = [*session.get_inputs(), *session.get_outputs()]
    shapes = [end.shape for end in ends] if all(end.type == "tensor(float)" for end in ends) else []
    window = window_of(shapes, path)
    return Exported(window, lambda clip: torch.from_numpy(session.run(None, {ends[0].name: clip.numpy()})[0]))


def open_torch(content: bytes, path: Path) -> Exported:
    """The network in a torch.export file. Call it with trusted content only.

    Args:
        content: of the file.
        path: its name, for messages.

    Raises:
        WeightsError: if it is no torch.export file of a network from clips to frames.
    """
    log = logging.getLogger("torch.export")
    log.disabled = True  # what it would warn of is in the exception too
    try:
        program = torch.export.load(io.BytesIO(content))
    except (RuntimeError, ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise WeightsError(f"torch cannot read {path} ({first_line(error)}); export it again") from None
    finally:
        log.disabled = False
    names = [*program.graph_signature.user_inputs, *program.graph_signature.user_outputs]
    values = {node.name: node.meta.get("val") for node in program.graph.nodes}
    found = [values.get(str(name)) for name in names]
    window = window_of([list(value.shape) if isinstance(value, Tensor) else [] for value in found], path)
    module = program.module()
    return Exported(window, lambda clip: module(clip))


def window_of(shapes: list[list[object]], path: Path) -> int:
    """The number of frames that an exported network sees.

    Args:
        shapes: of all inputs, then of all outputs; a fixed side is a whole number, a free one something else.
        path: the file's name, for the message.

    Raises:
        WeightsError: if it does not map one clip `(b, t, 3, h, w)`, t fixed and odd, to one frame `(b, 3, h, w)`.
    """
    match shapes:
        case [[b, int(window), 3, high, wide], [_, 3, _, _]] if window % 2 and not fixed(b, high, wide):
            return window
    raise WeightsError(
        f"{path} does not map one float32 clip (b, t, 3, h, w) of any size to one frame (b, 3, h, w), with t alone "
        f"fixed and odd, but has the shapes {shapes}; give a file of raincheck export"
    )


def fixed(*sides: object) -> bool:
    """Whether any of these sides of a shape is fixed."""
    return any(isinstance(side, int) for side in sides)
