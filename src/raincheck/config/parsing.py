"""How YAML files and command-line options become a run's configuration, and a configuration its objects."""

import re
from argparse import Action
from collections.abc import Sequence
from typing import get_args

import yaml
from jsonargparse import ArgumentError, ArgumentParser, DefaultHelpFormatter, Namespace, set_parsing_settings

from raincheck.config import plugin_options
from raincheck.config.schema import DEFAULTS, RunConfig
from raincheck.config.trust import check_classes
from raincheck.errors import ConfigError, one_line

# Where an argument has no type, any class of torch would do, also one that runs commands. So it is none; from 5.0 on,
# that is how the parser begins.
set_parsing_settings(instantiate_subclass_spec_in_any=False)


class Help(DefaultHelpFormatter):
    """Of the classes that an option takes, those in our room for it are named: torch has a thousand modules."""

    def _expand_help(self, action: Action) -> str:
        about, known, names = super()._expand_help(action).partition(", known subclasses: ")
        room = re.compile(rf"raincheck\.{action.dest}\w*\.\w+")
        ours = [name for name in names.removesuffix(")").split(", ") if room.fullmatch(name)]
        return about + (f", ours: {', '.join(ours)}" if ours else "") + (")" if known else "")


def parser() -> ArgumentParser:
    """The parser of a run's options; every one is documented by `RunConfig`."""
    made = ArgumentParser(
        prog="raincheck run",
        exit_on_error=False,
        allow_abbrev=False,
        description="Learn a stream of rain types.",
        formatter_class=Help,
    )
    made.add_argument("--config", action="config", help="A YAML file; several are merged, the last one wins.")
    # Of stock plugins some arguments have no type: they are taken as they are.
    made.add_class_arguments(RunConfig, sub_configs=False, fail_untyped=False)
    made.set_defaults(DEFAULTS)
    for action in made._actions:  # the parser takes for required what has no default in the class itself
        action.required = action.required and action.dest not in DEFAULTS
    return made


def parse(arguments: Sequence[str], trust: bool = False) -> Namespace:
    """Reads options into a checked and resolved configuration; none of its objects is built yet.

    Args:
        arguments: as on the command line, such as `["--config", "a.yaml", "--seed", "3"]`; options that change a plugin
            by its name, `--plugins.RainReview.batch 4`, come last wherever they stand.
        trust: allow classes of packages other than raincheck, Avalanche, Lightning and torch.

    Raises:
        ConfigError: for a file that is missing or no YAML, an unknown option, a wrong type, or a class that does not
            exist or is not trusted.
    """
    try:
        rest, changes = plugin_options.split(arguments, trust)
        check_classes(rest, trust)
        config = parser().parse_args(rest)
        if changes:
            settings = yaml.safe_load(dump(config))
            plugin_options.change(settings, changes)
            config = parser().parse_object(settings)
    except (ArgumentError, ValueError, TypeError) as error:
        raise ConfigError(one_line(error)) from None
    except RecursionError:
        raise ConfigError("the configuration is nested too deeply or contains itself; write it flat") from None
    check_given(config)
    return config


def check_given(config: Namespace) -> None:
    """Checks the options that are needed before there are objects, which check all others.

    Raises:
        ConfigError: if the seed is negative, or an option is null that needs a value.
    """
    needed = (name for name, made in RunConfig.__dataclass_fields__.items() if type(None) not in get_args(made.type))
    if null := next((name for name in needed if config[name] is None), None):
        raise ConfigError(f"{null} is null; give it a value, or leave it out")
    if config.seed < 0:
        raise ConfigError(f"seed must be 0 or more, not {config.seed}")


def build(config: Namespace) -> RunConfig:
    """Makes the objects that a configuration names; networks draw their first weights from the global generator.

    Raises:
        ConfigError: if a class does not take its arguments' values.
    """
    try:
        made = parser().instantiate(config)
    except (ArgumentError, ValueError, TypeError) as error:
        raise ConfigError(one_line(error)) from None
    return RunConfig(**{name: made[name] for name in RunConfig.__dataclass_fields__})


def dump(config: Namespace) -> str:
    """The resolved configuration as YAML, from which the run can be repeated."""
    plain = config.clone()
    plain.pop("config", None)
    text: str = parser().dump(plain, skip_validation=True)
    return text
