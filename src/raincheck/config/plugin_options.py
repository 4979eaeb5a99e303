"""Options that change one plugin of a method, by the name of its class: `--plugins.CLASS.ARGUMENT VALUE`.

W&B writes those that are nested in a sweep file as one: `--plugins={'CLASS': {'ARGUMENT': VALUE}}`. The parser knows a
list of plugins as one value, of which options can change the last entry only.
"""

import ast
import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raincheck.config.trust import check_class, inside, named_classes
from raincheck.errors import ConfigError

OPTION = re.compile(r"--plugins(?:\.([A-Z]\w*)\.(\w+))?(?:=(.*))?", re.DOTALL)
NAME = re.compile(r"[A-Z]\w*")
VALUE = re.compile(r"^(--[^=]+=|)(.+)$", re.DOTALL)  # of an option in the same word, or in one of its own
FLAG = re.compile(r"--\w+(\.\w+)+(?<!\.help)")  # an argument of a class, without a value


@dataclass(frozen=True)
class Change:
    """One such option.

    Attributes:
        plugin: the class's name, without its package.
        argument: of the class.
        value: as it was written; the parser knows the type.
    """

    plugin: str
    argument: str
    value: Any


def split(arguments: Sequence[str], trust: bool) -> tuple[list[str], list[Change]]:
    """Takes such options out of the arguments: returns the others, as `in_yaml` writes them, and the changes.

    Raises:
        ConfigError: if one names a class that is not trusted.
    """
    rest: list[str] = []
    changes: list[Change] = []
    words = iter(in_yaml(arguments))
    for word in words:
        option = OPTION.fullmatch(word)
        if option is None:
            rest.append(word)
            continue
        said = [word] if option[3] is not None else [word, *itertools.islice(words, 1)]
        value = option[3] if option[3] is not None else said[-1]
        found = [Change(option[1], option[2], value)] if option[1] else nested(value)
        rest += [] if found else said
        changes += found
    for one in changes:
        for path in named_classes(one.value, one.argument, open_to_classes=True):
            check_class(path, trust, "")
    return rest, changes


def in_yaml(arguments: Sequence[str]) -> list[str]:
    """Arguments as the parser wants them, of which W&B's agents write some in Python.

    `None` becomes `null`, and an option for an argument of a class that has no value gets the value `true`.
    """
    words = [VALUE.sub(lambda found: found[1] + plain(found[2]), word) for word in arguments]
    return [
        f"{word}=true" if FLAG.fullmatch(word) and after.startswith("--") else word
        for word, after in itertools.pairwise([*words, "--"])
    ]


def plain(value: str) -> str:
    """Null for Python's `None`, and JSON for a mapping or list that is written in Python and may hold it."""
    if value == "None":
        return "null"
    try:
        return json.dumps(ast.literal_eval(value)) if value.startswith(("{", "[")) and "None" in value else value
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):  # it is something else, such as YAML
        return value


def nested(value: str) -> list[Change]:
    """The changes that a mapping of classes' names to arguments asks for; none if it is something else."""
    said = inside(value)
    plugins = said.items() if isinstance(said, dict) else ()
    if not all(isinstance(of_one, dict) and NAME.fullmatch(str(name)) for name, of_one in plugins):
        return []
    return [Change(str(plugin), str(name), inner) for plugin, of_one in plugins for name, inner in of_one.items()]


def change(settings: dict[str, Any], changes: Sequence[Change]) -> None:
    """Makes the changes in a configuration's content.

    Raises:
        ConfigError: if the method has no such plugin, or several.
    """
    plugins = settings.get("plugins") or []
    names = [str(plugin["class_path"]).rpartition(".")[2] for plugin in plugins]
    for one in changes:
        if names.count(one.plugin) != 1:
            many = "no" if one.plugin not in names else "more than one"
            raise ConfigError(
                f"--plugins.{one.plugin}.{one.argument}: the method has {many} plugin {one.plugin}; "
                f"it has {', '.join(names) or 'none'}"
            )
        plugins[names.index(one.plugin)].setdefault("init_args", {})[one.argument] = one.value
