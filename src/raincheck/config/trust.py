"""Which options and classes a configuration may name, decided before a class is imported: an import runs code."""

import difflib
import importlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import yaml
from jsonargparse.typing import Path_fr

from raincheck import losses, networks, plugins
from raincheck.config.schema import RunConfig, StreamConfig
from raincheck.errors import ConfigError, one_line
from raincheck.plain_yaml import read_yaml

TRUSTED = ("raincheck", "avalanche", "lightning", "torch")
# Options whose value is a class, so that a bare string is a class path too.
CLASSES = {"class_path", "network", "loss", "optimizer", "plugins", "tasks", "stream", "more", "help"}
# Read from a file that they name, which may say of which class they are.
CLASSES |= {"augment", "variety", "init_args", "dict_kwargs"}
# Options below which arguments may themselves be classes or functions.
NESTING = {"network", "loss", "optimizer", "plugins", "trainer", "callbacks", "logger", "profiler", "more"}


def check_classes(arguments: Sequence[str], trust: bool) -> None:
    """Looks at every class that files and options name, before any of them is imported.

    Raises:
        ConfigError: naming the class that is not trusted or does not exist, and the nearest one that does; or what is
            no option of a run in a file.
    """
    tokens = [part for token in arguments for part in token.split("=", 1 if token.startswith("--") else 0)]
    for option, value in itertools.pairwise([*tokens, ""]):
        if option == "--config":
            if Path(value).is_fifo():  # the parser will read it again
                raise ConfigError(f"{value} is a pipe, which can be read once only; give a file with its content")
            content = read_yaml(Path(value))
            if not isinstance(content, dict):
                raise ConfigError(f"{value} holds no options; write lines such as `seed: 3`, or leave it out")
            # The parser would follow `config` to another file, unseen, and overlook whatever holds nothing.
            check_options(content, value)
            for path in named_classes(content, folder=Path(value).parent):
                check_class(path, trust, f" in {value}")
        elif option.startswith("--"):
            keys = option[2:].rstrip("+").split(".")
            for path in named_classes("" if value.startswith("--") else value, keys[-1], not NESTING.isdisjoint(keys)):
                check_class(path, trust, "")


def check_options(content: Mapping[Any, Any], where: str) -> None:
    """Looks whether all keys are options, those of the stream too.

    Raises:
        ConfigError: naming the first that is none.
    """
    check_keys(content, RunConfig, where)
    for key, value in content.items():
        option, _, below = str(key).partition(".")
        if option.rstrip("+") == "stream" and (below or isinstance(value, dict)):
            check_keys([below] if below else value, StreamConfig, f"the stream of {where}")


def check_keys(keys: Iterable[Any], kind: type, where: str) -> None:
    """Looks whether keys, as they may be written in a file, are options of that kind.

    Raises:
        ConfigError: naming the first that is none.
    """
    known = [field.name for field in fields(kind)]
    if unknown := [key for key in keys if str(key).partition(".")[0].rstrip("+") not in known]:
        raise ConfigError(f"there is no option {unknown[0]} in {where}; choose one of {', '.join(known)}")


def named_classes(value: Any, key: str = "", open_to_classes: bool = False, folder: Path = Path()) -> Iterator[str]:
    """Every text in a part of a configuration that the parser might take for a class.

    Args:
        value: as read from YAML.
        key: the option that has this value.
        open_to_classes: whether texts are class paths whatever their key, if they could be. Else only those are whose
            key is known to hold a class: video files have dots in their names too.
        folder: from which the parser would read a file that a text names, and find a class in it.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            keys = str(name).rstrip("+").split(".")  # `network.class_path` and `tasks+` are ways to write it, too
            yield from named_classes(inner, keys[-1], open_to_classes or not NESTING.isdisjoint(keys), folder)
    elif isinstance(value, list | tuple | set):  # of YAML's `!!pairs` and `!!set`
        for inner in value:
            yield from named_classes(inner, key, open_to_classes, folder)
    elif isinstance(value, str) and value:
        inner, could_be = inside(value), dotted if key in NESTING else importable
        if inner is not None:
            yield from named_classes(inner, key, open_to_classes, folder)
        elif key in CLASSES or (open_to_classes and (could_be(value.strip()) or is_file(value, folder))):
            yield value.strip()


def dotted(text: str) -> bool:
    """Whether a text has the form of a class path; letters of all alphabets are allowed in names."""
    return "." in text and all(part.isidentifier() for part in text.split("."))


def importable(text: str) -> bool:
    """Whether the parser would import something for a text; a network's layers have dots in their names too."""
    if not dotted(text):
        return False
    try:
        return find_spec(text.partition(".")[0]) is not None
    except ValueError:  # a module that is loaded without a specification, as an installed program's __main__ is
        return True


def is_file(text: str, folder: Path) -> bool:
    """Whether the parser would find a file by a text: also in a home directory, or by a URL."""
    try:
        return bool(Path_fr(text, cwd=folder))
    except (TypeError, ValueError):
        return False


def inside(text: str) -> Any:
    """The mapping, list or set that a text holds, which the parser would read as if it stood there itself."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return value if isinstance(value, dict | list | set) else None


def check_class(path: str, trust: bool, where: str) -> None:
    """Checks one class path, or the bare name of a class of ours.

    Raises:
        ConfigError: naming the class that is not trusted or does not exist, and the nearest one that does.
    """
    if path.isidentifier():
        known = {name for module in (plugins, networks, losses) for name in module.__all__} | set(torch.optim.__all__)
        if path not in known:
            near = difflib.get_close_matches(path, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "give its full path, package.module.Class"
            raise ConfigError(f"there is no class {path}{where}; {hint}")
        return
    package, _, name = path.rpartition(".")
    if not trust and (not dotted(path) or path.split(".")[0] not in TRUSTED):
        raise ConfigError(
            f"the class {path}{where} is not of {', '.join(TRUSTED)}; pass --trust if you know what it does"
        )
    if not dotted(path):
        return
    try:
        found = importlib.import_module(package)
    except ImportError as error:  # of the module itself, or of what it imports
        raise ConfigError(
            f"the class {path}{where} cannot be imported ({one_line(error)}); correct its name, or let PYTHONPATH name "
            "the folder of what is missing"
        ) from None
    if not hasattr(found, name):
        near = difflib.get_close_matches(name, dir(found), n=1)
        hint = f"did you mean {package}.{near[0]}?" if near else "correct its name"
        raise ConfigError(f"there is no class {path}{where}; {hint}")
    # A function can do anything with its arguments, and a module has those in it that it imported from elsewhere.
    named = getattr(found, name)
    if not trust and not (isinstance(named, type) and named.__module__.split(".")[0] in TRUSTED):
        raise ConfigError(
            f"{path}{where} is not a class of {', '.join(TRUSTED)}; pass --trust if you know what it does"
        )
