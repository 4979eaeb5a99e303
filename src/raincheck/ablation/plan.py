"""What a grid comes to: every run with its configuration, its folder and its name."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from jsonargparse import Namespace

from raincheck.ablation.cells import Settings, arguments, grounded, merged
from raincheck.ablation.grid import Grid, Order
from raincheck.config import build, dump, parse, plugin_options
from raincheck.errors import ConfigError, InputError
from raincheck.files import write_text
from raincheck.fingerprint import missing
from raincheck.notices import quiet_libraries
from raincheck.plain_yaml import read_yaml
from raincheck.running.claim import kept
from raincheck.running.identity import identity

FAILED = "failed.json"  # in the folder of a run that came to no result


@dataclass(frozen=True, eq=False)
class Planned:
    """A run of a grid.

    Attributes:
        cell: its name.
        order: of tasks; None is that of the stream.
        seed: of the run.
        folder: of the run.
        config: its resolved configuration.
        identity: see `raincheck.running.identity.identity`.
    """

    cell: str
    order: Order | None
    seed: int
    folder: Path
    config: Namespace
    identity: str

    @property
    def clips(self) -> Hashable:
        """What decides which clips are learned from; runs that differ in nothing else can share them."""
        return self.seed, self.order

    @property
    def name(self) -> str:
        """The cell, the order if the grid has such, and the seed."""
        parts = self.folder.parts
        return ", ".join((self.cell, *parts[len(parts) - (2 if self.order else 1) :]))

    @property
    def finished(self) -> bool:
        """Whether its result is there."""
        return (self.folder / "report.json").exists()

    @property
    def failure(self) -> str | None:
        """Why it came to no result, if it was done with these settings and failed."""
        path = self.folder / FAILED
        if self.finished or not path.exists():
            return None
        said = kept(path, json.loads, "failed")
        return str(said["failed"]) if said.get("id") == self.identity else None

    def fail(self, why: str) -> None:
        """Notes that it failed.

        Raises:
            OutputError: if that cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)  # a run that learned no task leaves none
        write_text(self.folder / FAILED, json.dumps({"id": self.identity, "failed": why}, indent=1))

    def forget(self) -> None:
        """Removes the note that it failed, perhaps with other settings."""
        (self.folder / FAILED).unlink(missing_ok=True)


def plan(content: Grid, grid: Path, out: Path, trust: bool) -> list[Planned]:
    """All runs of a grid: seed by seed, so that a grid that is cut short has all cells.

    Raises:
        ConfigError: naming the cell whose settings are wrong, before anything is written to the output.
    """
    configs = {cell: configured(content, cell, grid, trust) for cell in content.cells}
    plain = {cell: yaml.safe_load(dump(config)) for cell, config in configs.items()}
    planned = []
    for seed, order, cell in product(content.seeds, content.orders, configs):
        config, said = configs[cell].clone(), {**plain[cell], "seed": seed}
        folder = out / cell
        config.seed = seed
        if order is not None:
            config.stream.order = list(order)
            said["stream"] = {**said["stream"], "order": list(order)}
            folder /= "order-" + "-".join(map(str, order))
        planned.append(Planned(cell, order, seed, folder / f"seed-{seed}", config, identity(said)))
    return planned


def configured(content: Grid, cell: str, grid: Path, trust: bool) -> Namespace:
    """The configuration of a cell, without order and seed.

    Raises:
        ConfigError: naming the cell.
    """
    base = [argument for file in content.base for argument in ("--config", str(file))]
    try:
        check_plugin_options(content.options, content.cells[cell], trust)
        own = grounded(content.cells[cell], lists_of(content.base))
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / "cell.yaml"  # where the parser finds the cell's settings
            file.write_text(yaml.safe_dump({**own, "method": cell}, sort_keys=False), encoding="utf-8")
            try:
                config = parse([*base, *content.options, "--config", str(file)], trust)
            except ConfigError as error:
                raise ConfigError(str(error).replace(f" in {file}", "")) from None
    except ConfigError as error:
        raise ConfigError(f"{grid}, cell {cell}: {error}") from None
    config.pop("config", None)
    for order in content.orders:
        if order is not None and len(order) != len(config.stream.tasks):
            raise ConfigError(
                f"{grid}, cell {cell}: orders of {len(order)} do not fit {len(config.stream.tasks)} tasks"
            )
    return config


def check_plugin_options(options: Sequence[str], own: Settings, trust: bool) -> None:
    """Refuses options that would undo what a cell says: those of plugins come last, where others come before the cell.

    Raises:
        ConfigError: naming the option.
    """
    said = arguments(own.get("plugins"))
    for one in plugin_options.split(options, trust)[1]:
        if one.argument in said.get(one.plugin, {}):
            raise ConfigError(
                f"--plugins.{one.plugin}.{one.argument} would undo the cell's own; leave the option out, or change the "
                "cell"
            )


def lists_of(files: Sequence[Path]) -> Settings:
    """What configuration files say together, as far as it takes to change entries of their lists."""
    whole: Settings = {}
    for file in files:
        content = read_yaml(file)
        whole = merged(whole, content) if isinstance(content, dict) else whole
    return whole


def look_for_data(runs: Sequence[Planned], grid: Path) -> None:
    """Looks whether files and folders that any run of a grid learns from are there, before it begins.

    Raises:
        InputError: naming one that is not.
    """
    for one in {str((one.config.stream.root, one.config.stream.tasks)): one for one in runs}.values():
        with quiet_libraries():
            absent = missing(build(one.config).stream.tasks)
        if absent:
            raise InputError(
                f"{grid} learns from {absent[0]}, which is not there; bring the data that docs/DATA.md names, or run a "
                "grid that needs none, such as experiments/ablations/demo.yaml"
            )
