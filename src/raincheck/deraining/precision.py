"""In how many bits a network computes, and how it is compiled."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import torch
from torch import Tensor

from raincheck.errors import ConfigError, first_line
from raincheck.export.read import Exported
from raincheck.networks.base import ClipNetwork

PRECISIONS = ("fp32", "bf16", "auto")

Decode = Callable[[Sequence[Tensor], Tensor], Tensor]


def in_bf16(precision: str, network: ClipNetwork, device: torch.device) -> bool:
    """Whether a network is to compute in bfloat16.

    Args:
        precision: `fp32`; `bf16`; or `auto`, which is bf16 where the device has units for it.
        network: an exported one computes as it was exported.
        device: where it computes.

    Raises:
        ConfigError: if there is no such precision, or the network cannot compute in it.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"there is no precision {precision!r}; use one of {', '.join(PRECISIONS)}")
    if isinstance(network, Exported):
        if precision == "bf16":
            raise ConfigError("an exported network computes in the precision of its file; leave --precision out")
        return False
    return precision == "bf16" or (precision == "auto" and has_units(device))


def has_units(device: torch.device) -> bool:
    """Whether a device multiplies matrices of bfloat16 in units of its own: AMX in CPUs, tensor cores in GPUs."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    with suppress(OSError):
        return device.type == "cpu" and "amx_bf16" in Path("/proc/cpuinfo").read_text()
    return False


def compiled(network: ClipNetwork) -> Decode:
    """`network.decode`, compiled for the sizes that it is called with when it is first called with them.

    Raises:
        ConfigError: if the network cannot be compiled; also when it is called.
    """
    if isinstance(network, Exported):
        raise ConfigError("an exported network is not compiled; leave --compile out")
    from torch._dynamo.exc import TorchDynamoException  # takes a second to import

    # Weights become constants, laid out as the convolutions want them.
    fast = torch.compile(network.decode, dynamic=False, options={"freezing": True})

    def decode(features: Sequence[Tensor], centre: Tensor) -> Tensor:
        # Reflected windows have a frame twice, and would be compiled anew, each for itself.
        apart = [f.clone() if any(f is g for g in features[:i]) else f for i, f in enumerate(features)]
        try:
            return fast(apart, centre)
        except TorchDynamoException as error:
            raise ConfigError(
                f"torch cannot compile {type(network).__name__} here ({first_line(error)}); leave --compile out"
            ) from None

    return decode
