"""What a grid file may say, and what is said about one that is wrong."""

from pathlib import Path

import pytest

from raincheck.ablation.cells import grounded, merged
from raincheck.ablation.grid import read_grid
from raincheck.ablation.plan import plan
from raincheck.errors import ConfigError

KEYS = "extends, title, base, options, settings, cells, from, factors, orders, seeds, against"
NEEDS = "{path} needs cells, or factors, or both and from, which names one of the cells"


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
        (
            "[1, 2]",
            "{path} is not a grid (no mapping); its keys are " + KEYS,
        ),
        (
            "cell: {a: {}}",
            "{path} is not a grid (cell); its keys are " + KEYS,
        ),
        ("seeds: [1]", NEEDS),
        (
            "cells: {a: {}}\nfactors: {f: {g: {}}}",
            NEEDS,
        ),
        ("cells:\n  a: {}\n  a: {x: 1}", "{path}: the key a is there twice, in lines 2 and 3; leave one out"),
        ("cells: {}", "{path}: cells must be a mapping of one name or more to settings, not {{}}"),
        ("cells: {../up: {}}", "{path}: cells cannot be called '../up'; use letters, digits and . , = + - _ only"),
        ("cells: {1: {}, '1': {}}", "{path}: cells has two that are called '1'; rename one"),
        ("factors: {f: {on: {}, 'on': {batch: 2}}}", "{path}: factor f has two that are called 'on'; rename one"),
        ("cells: {a: [1]}", "{path}: the settings of cell a must be a mapping as in a configuration, not [1]"),
        ("cells: {a: {seed: 1}}", "{path}: cell a sets a seed of its own; list it under seeds"),
        ("cells: {a: {}}\nseeds: 3", "{path}: seeds must be a list of whole numbers from 0 up, not 3"),
        ("cells: {a: {}}\nseeds: [true]", "{path}: seeds must be a list of whole numbers from 0 up, not [True]"),
        ("cells: {a: {}}\nseeds: [1, 1]", "{path}: the seeds [1, 1] are not all different; name each once"),
        ("cells: {a: {}}\nbase: a.yaml", "{path}: base must be a list of texts, not a.yaml"),
        ("cells: {a: {}}\nfrom: a", NEEDS),
        ("cells: {a: {}}\nagainst: b", "{path}: against names no cell 'b'; it has a"),
        ("cells: {a: {}}\nfrom: b\nfactors: {f: {g: {}}}", "{path}: from names no cell 'b'; it has a"),
        (
            "cells: {a: {p: [x.One]}}\nfrom: a\nfactors: {f: {g: {p: {Two: {b: 1}}}}}",
            "{path}: f=g: p has no Two to change; it has One",
        ),
        ("cells: {a: {file: no.yaml}}", "{path}: cell a: cannot read the configuration {folder}/no.yaml: "),
        ("extends: ../other.yaml", "{path} extends ../other.yaml, which is not another file in its folder; name one"),
        ("extends: grid.yaml", "{path} extends grid.yaml, which is not another file in its folder; name one"),
        (
            "cells: {a: {}}\norders: [[0, 1], [0, 2]]",
            "{path}: orders must be different lists of the positions 0, 1, ... of the stream's tasks, such as "
            "[[0, 1, 2], [2, 0, 1]], not [[0, 1], [0, 2]]",
        ),
        (
            "factors: {f: {a: {x: {y: null}}}, g: {b: {x: {y: {z: 2}}}}}",
            "{path}: the factors f and g both set x.y.z, so one would undo the other; write the combinations as cells",
        ),
        (
            "factors: {f: {a: {x: {y: 1}}}, g: {b: {x: {y: 2}}}}",
            "{path}: the factors f and g both set x.y, so one would undo the other; write the combinations as cells",
        ),
        (
            "factors: {f: {a: {x: {y: {z: 2}}}}, g: {b: {x: {y: 3}}}}",
            "{path}: the factors f and g both set x.y.z, so one would undo the other; write the combinations as cells",
        ),
    ],
)
def test_a_wrong_grid_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_grid(path)
    expected = sentence.format(path=path, folder=tmp_path)
    assert str(error.value) == expected or (expected.endswith(": ") and str(error.value).startswith(expected))


@pytest.mark.parametrize("orders", ["[]", "[[]]", "[[1, 2]]", "[[0, 0]]", "[[0, 1], [0, 1]]", "[[0, true]]", "[0, 1]"])
def test_orders_are_different_permutations(tmp_path: Path, orders: str) -> None:
    with pytest.raises(ConfigError, match="orders must be different lists"):
        read_grid(written(tmp_path, f"cells: {{a: }}\norders: {orders}"))


def test_one_factor_at_a_time_from_a_cell(tmp_path: Path) -> None:
    text = """
    cells:
      none:
      both: {plugins: [{class_path: a.Review, init_args: {budget: 9, mode: clips}}, a.Old], batch: 4}
    from: both
    factors:
      old: {off: {plugins: {Old: null}}, strong: {plugins: {Old: {weight: 2}}}}
      memory: {small: {plugins: {Review: {budget: 1}}}}
      batch: {8: {batch: 8}}
    """
    review = {"class_path": "a.Review", "init_args": {"budget": 9, "mode": "clips"}}
    assert read_grid(written(tmp_path, text)).cells == {
        "none": {},
        "both": {"plugins": [review, "a.Old"], "batch": 4},
        "old=off": {"plugins": [review], "batch": 4},
        "old=strong": {"plugins": [review, {"class_path": "a.Old", "init_args": {"weight": 2}}], "batch": 4},
        "memory=small": {
            "plugins": [{"class_path": "a.Review", "init_args": {"budget": 1, "mode": "clips"}}, "a.Old"],
            "batch": 4,
        },
        "batch=8": {"plugins": [review, "a.Old"], "batch": 8},
    }


def test_a_cell_over_a_file_and_settings_of_all(tmp_path: Path) -> None:
    (tmp_path / "method.yaml").write_text("plugins: [{class_path: a.One, init_args: {x: 1}}]\nbatch: 2")
    text = "settings: {crop: 8, batch: 5}\ncells: {a: {file: method.yaml, plugins: {One: {y: 2}}}, b: {crop: 9}}"
    assert read_grid(written(tmp_path, text)).cells == {
        "a": {"crop": 8, "batch": 2, "plugins": [{"class_path": "a.One", "init_args": {"x": 1, "y": 2}}]},
        "b": {"crop": 9, "batch": 5},
    }


def test_a_cell_over_a_methods_file_has_the_cells_name(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "stream: {crop: 16, steps: 1, tasks: [{class_path: tinytasks.TinyRain, init_args: {kind: veil}}]}\n"
        "network: raincheck.networks.RRGNet\nloss: raincheck.losses.Charbonnier\nmethod: theirs\n"
    )
    (tmp_path / "method.yaml").write_text("method: also theirs\nbatch: 2")
    grid = written(tmp_path, "base: [base.yaml]\ncells: {mine: {file: method.yaml}, yours: {method: their own}}")
    planned = plan(read_grid(grid), grid, tmp_path / "out", trust=True)
    assert [(one.cell, one.config.method) for one in planned] == [("mine", "mine"), ("yours", "yours")]


def test_options_of_plugins_do_not_undo_what_cells_say(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(
        "stream: {crop: 16, steps: 1, tasks: [{class_path: tinytasks.TinyRain, init_args: {kind: veil}}]}\n"
        "plugins: [{class_path: raincheck.plugins.RainReview, init_args: {batch: 2, budget: 9}}]"
    )
    factors = "factors: {f: {few: {plugins: {RainReview: {batch: 4}}}, many: {plugins: {RainReview: {batch: 8}}}}}"
    begun = "base: [base.yaml]\noptions: [--plugins.RainReview.%s, 6]\n%s"
    grid = written(tmp_path, begun % ("budget", factors))
    planned = plan(read_grid(grid), grid, tmp_path / "out", trust=True)
    review = [one.config.plugins[0].init_args for one in planned]
    assert [(one.batch, one.budget) for one in review] == [(4, 6), (8, 6)]
    grid = written(tmp_path, begun % ("budget", "cells: {none: {plugins: {RainReview: }}}"))
    with pytest.raises(ConfigError, match=r": the method has no plugin RainReview; it has none$"):
        plan(read_grid(grid), grid, tmp_path / "out", trust=True)
    for cells in (factors, "cells: {f=few: {plugins: [{class_path: a.RainReview, init_args: {batch: 4}}]}}"):
        grid = written(tmp_path, begun % ("batch", cells))
        with pytest.raises(ConfigError) as error:
            plan(read_grid(grid), grid, tmp_path / "out", trust=True)
        assert str(error.value) == (
            f"{grid}, cell f=few: --plugins.RainReview.batch would undo the cell's own; leave the option out, or "
            "change the cell"
        )


def test_a_grid_extends_another(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("base: [a.yaml]\nseeds: [1, 2]\ncells: {one: {batch: 1}}\ntitle: small")
    grid = read_grid(written(tmp_path, "extends: small.yaml\nbase: [b.yaml]\ntitle: at full scale"))
    assert (grid.base, grid.seeds, grid.cells) == ((tmp_path / "b.yaml",), (1, 2), {"one": {"batch": 1}})
    assert grid.title == "at full scale"
    assert read_grid(written(tmp_path, "cells: {a: }")).title == "grid"
    (tmp_path / "small.yaml").write_text("extends: grid.yaml")
    with pytest.raises(ConfigError, match=r"extends small\.yaml, which itself extends another; name a grid that"):
        read_grid(written(tmp_path, "extends: small.yaml"))


def test_entries_of_a_list_below_are_changed_where_the_list_is_known() -> None:
    below = {"stream": {"tasks": [{"class_path": "a.Rain", "init_args": {"name": n, "test": ["t"]}} for n in "xy"]}}
    change = {"stream": {"tasks": {"Rain": {"test": ["v"]}}, "crop": 8}, "batch": 1}
    assert grounded(change, below) == {
        "stream": {
            "tasks": [{"class_path": "a.Rain", "init_args": {"name": n, "test": ["v"]}} for n in "xy"],
            "crop": 8,
        },
        "batch": 1,
    }


def test_cells_are_compared_with_the_one_that_the_grid_names(tmp_path: Path) -> None:
    one_by_one = "cells: {a: {}, b: {}}\nfrom: b\nfactors: {f: {g: {c: 1}}}"
    texts = {
        "cells: {a: {}, b: {}}": None,
        "cells: {1: {}, 2: {}}\nagainst: 2": "2",
        one_by_one: "b",
        one_by_one + "\nagainst: f=g": "f=g",
    }
    for text, expected in texts.items():
        (tmp_path / "grid.yaml").write_text(text)
        assert read_grid(tmp_path / "grid.yaml").against == expected
