"""Networks: one file each. A weights file names its network and arguments, so loading needs nothing else."""

from raincheck.networks.base import ClipNetwork
from raincheck.networks.identity import Identity
from raincheck.networks.rrgnet import RRGNet
from raincheck.networks.weights import find_weights, load_network, save_weights, start_from

__all__ = ["ClipNetwork", "Identity", "RRGNet", "find_weights", "load_network", "save_weights", "start_from"]
