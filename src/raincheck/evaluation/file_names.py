"""Names of tasks as those of files: a task may be called anything, a file may not."""

import re
from collections.abc import Iterable

LONGEST = 60  # characters: with what pictures and partial files add, few enough bytes for any file system


def file_names(tasks: Iterable[str]) -> dict[str, str]:
    """By task, what files about it begin with.

    Args:
        tasks: all that a folder has files about, in learning order, because two whose names come to the same are told
            apart by a number: `a-b` of `a/b`, and `a-b-2` of `a b`.
    """
    names: dict[str, str] = {}
    taken = set(tasks := list(tasks))  # no number may make the name of another task
    for task in tasks:
        plain = re.sub(r"[^\w.-]|^\.+$", "-", task)[:LONGEST] or "-"
        name, number = plain, 1
        while name in names.values() or (name in taken and name != task):
            number += 1
            name = f"{plain}-{number}"
        names[task] = name
    return names
