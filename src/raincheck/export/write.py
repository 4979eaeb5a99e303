"""Writing networks as files that run without raincheck: ONNX, and torch.export."""

import io
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config

from raincheck.errors import ConfigError
from raincheck.export.read import SUFFIXES, Exported, open_onnx, open_torch, require
from raincheck.files import folder_for, replace_file
from raincheck.networks.base import ClipNetwork
from raincheck.networks.weights import blueprint, load_network
from raincheck.targets import check_target

# The one that the exporter's operators are written in, so nothing is converted; onnxruntime knows it since 1.14 (2023).
OPSET = 18
# Sums in another order differ by some 1e-6; one grey level of 8 bits is 4e-3.
TOLERANCE = 1e-4
# The free dimensions of a clip `(b, t, c, h, w)`.
FREE = {0: "batch", 3: "height", 4: "width"}


def export(weights: str | Path, out: str | Path, format: str = "onnx") -> float:
    """Writes a network as one file, whole or not at all, when it computes what the network computes.

    The graph maps `clip` `(b, t, 3, h, w)`, RGB float32 in [0, 1], to `derained` `(b, 3, h, w)`, the centre frame in
    [0, 1]. b, h and w are free; t is the network's window. Padding to a multiple of 8 and cropping are in the graph.

    Args:
        weights: `rrgnet` or `rrgnet-small` (shipped), `identity`, a weights file, or a run's folder.
        out: a .onnx or .pt2 file; replaced if it exists. Its folder is made where there is none yet.
        format: `onnx` (opset 18) or `torch` (torch.export).

    Returns:
        The largest difference between the file's output and the network's, on random clips of other sizes.

    Raises:
        ConfigError: if the format is unknown, does not fit the name, needs packages that are not installed, or cannot
            express the network.
        WeightsError: if there are no such weights.
        OutputError: if the file cannot be written.
    """
    out = Path(out)
    if format not in FORMATS:
        raise ConfigError(f"there is no format {format!r} to export to; choose one of {', '.join(FORMATS)}")
    if out.suffix.lower() != SUFFIXES[format]:
        raise ConfigError(f"cannot export to {out} as {format}; give a name that ends in {SUFFIXES[format]}")
    check_target(out, [Path(weights)])
    save, load = FORMATS[format]
    network = load_network(weights)
    content = save(traced(network), about(network))
    difference = largest_difference(network, load(content, out))
    if difference > TOLERANCE:
        raise ConfigError(
            f"the {format} graph of {type(network).__name__} differs from it by {difference:.1e}, more than "
            f"{TOLERANCE}, on random clips; choose another format or other weights"
        )
    with folder_for(out):
        replace_file(out, lambda partial: partial.write_bytes(content))
    return difference


def about(network: ClipNetwork) -> dict[str, str]:
    """What is kept beside the graph."""
    clip = f"float32 (batch, {network.window}, 3, height, width), RGB in [0, 1]"
    return {**blueprint(network), "clip": clip}


def traced(network: ClipNetwork) -> ExportedProgram:
    """The graph of a network in evaluation mode, for clips of any number and size."""
    clip = torch.zeros(2, network.window, 3, 45, 59)
    free = dict.fromkeys(FREE, Dim.DYNAMIC)  # an error where the network takes one size only
    # Without this the tracer sees that no side of the example is 1 and that it was padded, and requires it of all.
    with torch.no_grad(), _config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        return torch.export.export(network, (clip,), dynamic_shapes={"clip": free})


def onnx_file(program: ExportedProgram, about: dict[str, str]) -> bytes:
    """An ONNX file with its weights inside.

    Raises:
        ConfigError: if a package is missing.
    """
    require("export to ONNX", "onnx", "onnxscript", "onnxruntime")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's advice is for its own developers
        converted = torch.onnx.export(
            program,
            input_names=["clip"],
            output_names=["derained"],
            dynamic_shapes={"clip": FREE},
            opset_version=OPSET,
            verbose=False,
        )
    assert converted is not None
    converted.model.metadata_props.update(about)
    content: bytes = converted.model_proto.SerializeToString()
    return content


def torch_file(program: ExportedProgram, about: dict[str, str]) -> bytes:
    """A torch.export file."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={"raincheck.json": json.dumps(about)})
    return buffer.getvalue()


FORMATS: dict[
    str, tuple[Callable[[ExportedProgram, dict[str, str]], bytes], Callable[[bytes, Path], Exported]]
] = {"onnx": (onnx_file, open_onnx), "torch": (torch_file, open_torch)}  # fmt: skip


def largest_difference(network: ClipNetwork, exported: ClipNetwork) -> float:
    """The largest absolute difference between two networks' outputs, for clips of other sizes than the traced one."""
    numbers = torch.Generator().manual_seed(0)
    clips = [torch.rand(b, network.window, 3, h, w, generator=numbers) for b, h, w in ((1, 38, 21), (3, 16, 24))]
    with torch.inference_mode():
        return max(float((network(clip) - exported.eval()(clip)).abs().max()) for clip in clips)
