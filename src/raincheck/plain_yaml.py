"""Reads YAML that a user wrote; a key that a mapping has twice is refused, where YAML's own loader takes the last."""

import json
from pathlib import Path
from typing import Any

import yaml

from raincheck.errors import ConfigError, one_line

MERGE = "tag:yaml.org,2002:merge"  # of `<<`, whose keys may be overridden beside it


class Loader(yaml.SafeLoader):
    """Refuses repeated keys while the text is parsed: merged ones are no keys of their mapping yet."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """The mapping that begins here.

        Raises:
            ConfigError: if a key is there twice.
        """
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        lines: dict[Any, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != MERGE):
            name, line = self.construct_object(key), key.start_mark.line + 1  # `on` and `true` are one
            if name in lines:
                where = f"lines {lines[name]} and {line}" if line != lines[name] else f"line {line}"
                raise ConfigError(f"the key {one_line(key.value)} is there twice, in {where}; leave one out")
            lines[name] = line
        return node


def load(path: Path) -> Any:
    """The content of a YAML file.

    Raises:
        ConfigError: if a mapping has a key twice.
        OSError: if the file cannot be read.
        yaml.YAMLError: if it is no YAML.
        ValueError: if it is no UTF-8, or a date in it is none.
        RecursionError: if it is nested too deeply.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def read_yaml(path: Path) -> Any:
    """The content of a file of settings.

    Raises:
        ConfigError: if it is missing or no YAML, contains itself, or has a key twice.
    """
    try:
        content = load(path)
        json.dumps(content, default=str, skipkeys=True)  # raises ValueError for what contains itself
        return content
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {one_line(error)}; give a YAML file") from None
