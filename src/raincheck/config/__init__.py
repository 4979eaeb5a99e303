"""What a run is made of, and how YAML files and command-line options become one."""

from raincheck.config.parsing import build, dump, parse, parser
from raincheck.config.schema import RunConfig, StreamConfig

__all__ = ["RunConfig", "StreamConfig", "build", "dump", "parse", "parser"]
