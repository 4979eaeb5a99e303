"""Options that change one plugin of a method, by the name of its class: `--plugins.CLASS.ARGUMENT VALUE`.

The parser knows a list of plugins as one value, of which options can change the last entry only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raincheck.errors import ConfigError
from raincheck.trust import check_class, named_classes

OPTION = re.compile(r"--plugins\.([A-Z]\w*)\.(\w+)(?:=(.*))?", re.DOTALL)


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
    value: str


def split(arguments: Sequence[str], trust: bool) -> tuple[list[str], list[Change]]:
    """The arguments without such options, and the options.

    Raises:
        ConfigError: if one has no value, or names a class that is not trusted.
    """
    rest: list[str] = []
    changes: list[Change] = []
    words = iter(arguments)
    for word in words:
        option = OPTION.fullmatch(word)
        if option is None:
            rest.append(word)
            continue
        value = next(words, None) if option[3] is None else option[3]
        if value is None:
            raise ConfigError(f"{word} has no value; give one")
        for path in named_classes(value, option[2], open_to_classes=True):
            check_class(path, trust, "")
        changes.append(Change(option[1], option[2], value))
    return rest, changes


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
