"""The networks of this folder, found by existing: a new one is one new file."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from raincheck.networks.base import ClipNetwork


def network_classes() -> dict[str, type[ClipNetwork]]:
    """Every network class defined in this folder, by name."""
    found: dict[str, type[ClipNetwork]] = {}
    for module in iter_modules([str(Path(__file__).parent)]):
        members = vars(import_module(f"{__package__}.{module.name}"))
        found |= {n: c for n, c in members.items() if isinstance(c, type) and issubclass(c, ClipNetwork)}
    del found[ClipNetwork.__name__]
    return found
