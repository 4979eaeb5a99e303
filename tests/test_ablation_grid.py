"""What a grid file may say, and what is said about one that is wrong."""

from pathlib import Path

import pytest

from raincheck.ablation_grid import merged, read_grid
from raincheck.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text)
    return path


def test_cells_and_paths_relative_to_the_grid_file(tmp_path: Path) -> None:
    text = "base: [../a.yaml, b.yaml]\noptions: [--stream.steps, 3]\nseeds: [4, 2]\ncells: {one: , two: {batch: 3}}"
    grid = read_grid(written(tmp_path, text))
    assert grid.base == (tmp_path / "../a.yaml", tmp_path / "b.yaml")
    assert grid.options == ("--stream.steps", "3")
    assert grid.seeds == (4, 2)
    assert grid.cells == {"one": {}, "two": {"batch": 3}}


def test_factors_are_multiplied_and_their_settings_merged(tmp_path: Path) -> None:
    text = """
    factors:
      steps: {few: {stream: {steps: 1}}, many: {stream: {steps: 9}}}
      wide: {on: {stream: {crop: 64}}, off: }
    """
    assert read_grid(written(tmp_path, text)).cells == {
        "steps=few,wide=on": {"stream": {"steps": 1, "crop": 64}},
        "steps=few,wide=off": {"stream": {"steps": 1}},
        "steps=many,wide=on": {"stream": {"steps": 9, "crop": 64}},
        "steps=many,wide=off": {"stream": {"steps": 9}},
    }


def test_lists_are_replaced_when_settings_are_merged() -> None:
    one, other = {"a": {"b": [1, 2], "c": 3}, "d": {"e": 4}}, {"a": {"b": [5]}, "d": 6}
    assert merged(one, other) == {"a": {"b": [5], "c": 3}, "d": 6}
    assert one == {"a": {"b": [1, 2], "c": 3}, "d": {"e": 4}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1, 2]", "{path} is no grid (no mapping); its keys are base, options, cells, seeds, factors"),
        ("cell: {a: {}}", "{path} is no grid (cell); its keys are base, options, cells, seeds, factors"),
        ("seeds: [1]", "{path} needs either cells or factors; give one of the two"),
        ("cells: {a: {}}\nfactors: {f: {g: {}}}", "{path} needs either cells or factors; give one of the two"),
        ("cells: {}", "{path}: cells must be a mapping of one name or more to settings, not {{}}"),
        ("cells: {../up: {}}", "{path}: cells cannot be called '../up'; use letters, digits and . , = + - _ only"),
        ("cells: {a: [1]}", "{path}: the settings of cell a must be a mapping as in a configuration, not [1]"),
        ("cells: {a: {seed: 1}}", "{path}: cell a sets a seed of its own; list it under seeds"),
        ("cells: {a: {}}\nseeds: 3", "{path}: seeds must be a list of whole numbers from 0 up, not 3"),
        ("cells: {a: {}}\nseeds: [true]", "{path}: seeds must be a list of whole numbers from 0 up, not [True]"),
        ("cells: {a: {}}\nseeds: [1, 1]", "{path}: the seeds [1, 1] are not all different; name each once"),
        ("cells: {a: {}}\nbase: a.yaml", "{path}: base must be a list of texts, not a.yaml"),
        (
            "factors: {f: {a: {x: {y: 1}}}, g: {b: {x: {y: 2}}}}",
            "{path}: the factors f and g both set x.y, so one would undo the other; write the combinations as cells",
        ),
    ],
)
def test_a_wrong_grid_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_grid(path)
    assert str(error.value) == sentence.format(path=path)
