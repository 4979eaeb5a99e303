"""Configurations: files and options merged, mistakes named, nothing untrusted imported."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from avalanche.training.plugins import EWCPlugin

from raincheck.config import RunConfig, build, dump, parse
from raincheck.errors import ConfigError
from raincheck.losses import Charbonnier, StructureLoss
from raincheck.networks import RRGNet
from raincheck.plain_yaml import read_yaml
from raincheck.plugins import EWC, CosineSchedule, RainReview
from raincheck.running.claim import differences

TASK = {"class_path": "tinytasks.TinyRain", "init_args": {"kind": "veil"}}
BASE: dict[str, Any] = {
    "stream": {"tasks": [TASK], "steps": 7},
    "network": {"class_path": "raincheck.networks.RRGNet", "init_args": {"window": 3, "width": 4}},
}


def write(path: Path, content: Any) -> str:
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.fixture
def base(tmp_path: Path) -> list[str]:
    return ["--config", write(tmp_path / "base.yaml", BASE)]


def test_several_files_and_options_merge_and_the_last_wins(base: list[str], tmp_path: Path) -> None:
    method = {
        "method": "ours",
        "seed": 3,
        "stream": {"crop": 24},
        "plugins": [{"class_path": "raincheck.plugins.RainReview", "init_args": {"budget": 123456}}],
    }
    files = [*base, "--config", write(tmp_path / "method.yaml", method)]
    config = parse([*files, "--seed", "5", "--optimizer.init_args.lr=0.25", "--network.init_args.depth", "2"], True)
    made = build(config)
    assert isinstance(made, RunConfig)
    assert (made.method, made.seed, made.stream.steps, made.stream.crop, made.batch) == ("ours", 5, 7, 24, 8)
    assert isinstance(made.network, RRGNet) and made.network.arguments == {
        **{"window": 3, "width": 4, "depth": 2, "grouped": True}
    }
    assert isinstance(made.plugins[0], RainReview) and made.plugins[0].budget == 123456
    assert isinstance(made.loss, StructureLoss)
    assert made.optimizer(made.network.parameters()).param_groups[0]["lr"] == 0.25


def test_classes_on_the_command_line(base: list[str]) -> None:
    options = ["--loss", "raincheck.losses.Charbonnier", "--loss.epsilon", "0.5", "--plugins+=CosineSchedule"]
    made = build(parse([*base, *options, "--plugins+=raincheck.plugins.EWC", "--plugins.ewc_lambda=2"], True))
    assert isinstance(made.loss, Charbonnier) and made.loss.epsilon == 0.5
    assert isinstance(made.plugins[0], CosineSchedule)
    assert isinstance(made.plugins[1], EWC) and made.plugins[1].ewc_lambda == 2


def test_stock_plugins_whose_arguments_have_no_types_are_taken(base: list[str]) -> None:
    plugins = [{"class_path": UNTYPED, "init_args": {"ewc_lambda": 0.5}}]
    (plugin,) = build(parse([*base, "--plugins", json.dumps(plugins)], True)).plugins
    assert type(plugin) is EWCPlugin and plugin.ewc_lambda == 0.5


def test_a_dumped_configuration_is_the_same_configuration(base: list[str], tmp_path: Path) -> None:
    config = parse([*base, "--plugins+=raincheck.plugins.EWC", "--seed", "9", "--trainer", "{precision: 32}"], True)
    text = dump(config)
    (tmp_path / "again.yaml").write_text(text)
    again = dump(parse(["--config", str(tmp_path / "again.yaml")], True))
    assert again == text and differences(text, again) == []
    assert yaml.safe_load(text)["plugins"][0]["init_args"]["clips"] == 256  # defaults are written out


def test_a_root_is_told_to_every_task(base: list[str], tmp_path: Path) -> None:
    tasks = [
        {"class_path": f"raincheck.datasets.{path}", "init_args": arguments}
        for path, arguments in {
            "nturain.NTURain": {"root": "ntu"},
            "folder.PairedFolders": {"name": "pairs", "rainy": "a", "clean": "b"},
            "rendered.RenderedRain": {"name": "thin", "rain": "thin", "train": ["c.mp4"], "root": "clean"},
        }.items()
    ]
    files = [*base, "--config", write(tmp_path / "tasks.yaml", {"stream": {"tasks": tasks}})]
    ntu, pairs, thin = (vars(task) for task in build(parse([*files, "--stream.root", "data"], True)).stream.tasks)
    assert (ntu["root"], pairs["rainy"], pairs["clean"]) == (Path("data/ntu"), Path("data/a"), Path("data/b"))
    assert (thin["root"], thin["train"][0].path) == (Path("data/clean"), Path("data/clean/c.mp4"))


def test_a_root_without_use_is_refused(base: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        build(parse([*base, "--stream.root", "data"], True))
    assert str(error.value) == "TinyRain reads nothing from data; leave stream.root out"


def test_differences_name_keys_and_values(base: list[str]) -> None:
    before = dump(parse(base, True))
    assert differences(before, dump(parse([*base, "--workers", "2", "--tracking", "none"], True))) == []
    now = dump(parse([*base, "--seed", "1", "--plugins+=raincheck.plugins.CosineSchedule"], True))
    differ = differences(before, now)
    assert differ[-1] == "seed (0 then, 1 now)"
    assert "plugins.0.class_path (unset then, raincheck.plugins.CosineSchedule now)" in differ


MISTAKES = {
    "endless value": (["--trainer", "&a {logger: *a}"], "the configuration is nested too deeply or contains itself"),
    "deep value": (["--trainer", "[" * 2000], "the configuration is nested too deeply or contains itself"),
    "unknown option": (["--sead", "3"], "sead"),
    "unknown nested option": (["--network.init_args.widht", "3"], "widht"),
    "abbreviated option": (["--see", "3"], "see"),
    "stray word": (["fast"], "fast"),
    "wrong type": (["--seed", "many"], "seed"),
    "negative seed": (["--seed", "-1"], "seed"),
    "no batch": (["--batch", "0"], "batch"),
    "negative workers": (["--workers", "-1"], "workers"),
    "no steps": (["--stream.steps", "0"], "steps"),
    "no crop": (["--stream.crop", "0"], "crop"),
    "wrong nested type": (["--network.init_args.width", "wide"], "width"),
    "missing file": (["--config", "none.yaml"], "cannot read the configuration none.yaml: "),
    "misspelt plugin": (
        ["--plugins", "raincheck.plugins.RainRewiew"],
        "there is no class raincheck.plugins.RainRewiew; did you mean raincheck.plugins.RainReview?",
    ),
    "misspelt module": (
        ["--plugins", "raincheck.plugin.RainReview"],
        "the class raincheck.plugin.RainReview cannot be imported (No module named 'raincheck.plugin'); correct its ",
    ),
    "bare misspelt plugin": (["--plugins", "RainRewiew"], "RainReview"),
    "no plugin": (["--plugins", "raincheck.networks.RRGNet"], "plugins"),
    "function": (["--plugins", "raincheck.networks.load_network"], "plugins"),
    "file as class": (["--network", "torch.nn.Conv2d"], "network"),
}


def test_a_class_of_ones_own_whose_file_lacks_something_says_what(
    base: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking.py").write_text("import there_is_none\n")
    sentence = (
        r"^the class lacking\.Loss cannot be imported \(No module named '{}'\); correct its name, or let PYTHONPATH "
        r"name the folder of what is missing$"
    )
    for missing in ("lacking", "there_is_none"):
        with pytest.raises(ConfigError, match=sentence.format(missing)):
            parse([*base, "--loss", "lacking.Loss"], True)
        monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_sentence(base: list[str], name: str) -> None:
    options, part = MISTAKES[name]
    with pytest.raises(ConfigError) as error:
        build(parse([*base, *options], True))
    assert part in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("seed: [", "cannot read the configuration"),
        ("- 1", ""),
        ("[" * 2000, "cannot read the configuration"),
        ("trainer: &a {logger: *a}", ": Circular reference detected; give a YAML file"),
        ("method: null", "method is null; give it a value, or leave it out"),
        ("seed: null", "seed is null"),
        ("seed: 2026-13-45", "cannot read the configuration"),
        ("just words", ""),
        (
            "seed: 1\nstream: {crop: 16}\nseed: 2",
            "wrong.yaml: the key seed is there twice, in lines 1 and 3; leave one out",
        ),
        ("stream: {crop: 16, 'crop': 24}", "wrong.yaml: the key crop is there twice, in line 1; leave one out"),
        ("trainer: {on: 1, true: 2}", "wrong.yaml: the key true is there twice, in line 1; leave one out"),
        ("seeds: 3", "there is no option seeds in "),
        ("streem: {}", "there is no option streem in "),
        ("3: {}", "there is no option 3 in "),
        ("stream: {streem: {}}", "there is no option streem in the stream of "),
        ("stream.streem: {}", "there is no option streem in the stream of "),
        ("stream+: {streem: {}}", "there is no option streem in the stream of "),
        ("plugins: [raincheck.plugins.Destillation]", "did you mean raincheck.plugins.Distillation?"),
        ("plugins: [{class_path: raincheck.plugins.EWC, init_args: {lambda: 3}}]", "lambda"),
        ("plugins: [{class_path: raincheck.plugins.EWC, init_args: {ewc_lambda: much}}]", "ewc_lambda"),
        ("network: {class_path: raincheck.networks.RRGNet, init_args: {window: 4}}", "window 4"),
        ("plugins: [{class_path: raincheck.plugins.RainReview, init_args: {budget: -1}}]", "budget -1"),
        ("plugins: [{class_path: 3}]", ""),
        ("stream: {tasks: [{class_path: raincheck.datasets.rendered.RenderedRain, init_args: {name: a}}]}", "rain"),
    ],
)
def test_mistakes_in_files_are_one_sentence(base: list[str], tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        build(parse([*base, "--config", str(tmp_path / "wrong.yaml")], True))
    assert part in str(error.value) and "\n" not in str(error.value)


def test_merged_keys_may_be_overridden(base: list[str], tmp_path: Path) -> None:
    path = tmp_path / "merged.yaml"
    path.write_text(
        "stream:\n  tasks:\n  - &task\n    class_path: tinytasks.TinyRain\n    init_args: {kind: veil}\n"
        "  - <<: *task\n    init_args: {kind: drops}\n"
    )
    assert [task["init_args"]["kind"] for task in read_yaml(path)["stream"]["tasks"]] == ["veil", "drops"]
    assert len(build(parse([*base, "--config", str(path)], True)).stream.tasks) == 2
    path.write_text("a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, x: 3}\nd: {<<: [*a, *b], z: 4}\n")
    content = read_yaml(path)
    assert [content[key] for key in "bcd"] == [{"x": 1, "y": 2}, {"x": 3, "y": 2}, {"x": 1, "y": 1, "z": 4}]


def test_nothing_at_all() -> None:
    with pytest.raises(ConfigError, match=r"^the following arguments are required: stream.tasks$"):
        parse([])


def test_a_negative_seed_is_refused_before_anything_draws_from_it(base: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"^seed must be 0 or more, not -1$"):
        parse([*base, "--seed", "-1"], True)


@pytest.mark.parametrize("options", [["--weights=None"], ["--weights", "None"], ["--stream.order=None"]])
def test_wandbs_none_is_null(base: list[str], options: list[str]) -> None:
    made = build(parse([*base, *options], True))
    assert made.weights is None and made.stream.order is None


def test_binary_configurations(tmp_path: Path) -> None:
    (tmp_path / "noise.yaml").write_bytes(bytes(range(256)))
    for path in (tmp_path / "noise.yaml", tmp_path):
        with pytest.raises(ConfigError, match=r"^cannot read the configuration "):
            parse(["--config", str(path)])


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that anyone could have put beside a configuration; returns what it writes when it is imported."""
    (tmp_path / "evil.py").write_text(
        "from pathlib import Path\n"
        "Path(__file__).with_name('hit').touch()\n"
        "from avalanche.core import SupervisedPlugin\n"
        "class Plugin(SupervisedPlugin): pass\n"
    )
    (tmp_path / "böse.py").write_bytes((tmp_path / "evil.py").read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "evil", raising=False)
    return tmp_path / "hit"


REPLAY = "avalanche.training.plugins.ReplayPlugin"
DISTANCE = "torch.nn.TripletMarginWithDistanceLoss"
MEASURED = {"class_path": DISTANCE, "init_args": {"distance_function": "evil.Plugin"}}
UNTYPED = "avalanche.training.plugins.EWCPlugin"  # its `ewc_lambda` may be anything, so a class too
SNEAKY = {
    "bare": ["--plugins", "evil.Plugin"],
    "with equals sign": ["--plugins=evil.Plugin"],
    "appended": ["--plugins+=evil.Plugin"],
    "class path": ["--network.class_path", "evil.Plugin"],
    "json": ["--plugins", '[{"class_path": "evil.Plugin"}]'],
    "json object": ["--network", '{"class_path": "evil.Plugin"}'],
    "json with equals sign": ['--plugins+={"class_path": "evil.Plugin"}'],
    "whole stream": ["--stream", '{"tasks": [{"class_path": "evil.Plugin"}]}'],
    "nested in json": ["--plugins", f'{{"class_path": "{REPLAY}", "init_args": {{"storage_policy": "evil.Plugin"}}}}'],
    "nested option": ["--plugins", REPLAY, "--plugins.init_args.storage_policy", "evil.Plugin"],
    "nested short option": ["--plugins", REPLAY, "--plugins.storage_policy", "evil.Plugin"],
    "nested without a type": ["--plugins", UNTYPED, "--plugins.ewc_lambda", '{"class_path": "evil.Plugin"}'],
    "abbreviated": ["--plug", "evil.Plugin"],
    "augmentation": ["--stream.augment.more+=evil.Plugin"],
    "trainer": ["--trainer", '{"callbacks": [{"class_path": "evil.Plugin"}]}'],
    "function of a trusted class": ["--trainer.strategy", json.dumps(MEASURED)],
    "equals sign within": ["--trainer", '{"a=b": 1, "callbacks": ["evil.Plugin"]}'],
    "spaces": ["--plugins", " evil.Plugin "],
    "other letters": [f"--plugins+={REPLAY}", "--plugins.storage_policy", "böse.Plugin"],
    "help": ["--plugins.help", "evil.Plugin"],
    "help with equals sign": ["--stream.tasks.help=evil.Plugin"],
}


@pytest.mark.parametrize("name", SNEAKY)
def test_untrusted_classes_are_refused_before_they_are_imported(base: list[str], evil: Path, name: str) -> None:
    trusted = write(evil.with_name("trusted.yaml"), {**BASE, "stream": {"tasks": []}})
    with pytest.raises(ConfigError) as error:
        parse(["--config", trusted, *SNEAKY[name]])
    assert not evil.exists() and "evil" not in sys.modules and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        {"plugins": ["evil.Plugin"]},
        {"plugins": [{"class_path": "evil.Plugin"}]},
        {"network": "evil.Plugin"},
        {"network": {"class_path": "evil.Plugin", "init_args": {}}},
        {"optimizer": "evil.Plugin"},
        {"loss": {"class_path": "evil.Plugin"}},
        {"stream": {"tasks": [{"class_path": "evil.Plugin"}]}},
        {"plugins": [{"class_path": REPLAY, "init_args": {"storage_policy": "evil.Plugin"}}]},
        {"plugins": [{"class_path": REPLAY, "init_args": {"storage_policy": {"class_path": "evil.Plugin"}}}]},
        {"plugins": [{"class_path": UNTYPED, "init_args": {"ewc_lambda": {"class_path": "evil.Plugin"}}}]},
        {"trainer": {"callbacks": [{"class_path": "evil.Plugin"}]}},
        {"trainer": {"anything": {"at": [MEASURED]}}},
        {"stream": {"tasks": [], "augment": {"more": ["evil.Plugin"]}}},
        {"stream": {"tasks": [], "augment.more": ["evil.Plugin"]}},
        {"network.class_path": "evil.Plugin"},
        {"stream.augment.more": ["evil.Plugin"]},
        {"plugins": [{"class_path": REPLAY, "init_args.storage_policy": "evil.Plugin"}]},
        {"plugins": {"evil.Plugin"}},
        {"stream": {"tasks+": ["evil.Plugin"]}},
        {"stream": {"tasks": [], "augment": {"more+": ["evil.Plugin"]}}},
        {"network": {"class_path": "raincheck.export.read.Exported", "init_args": {"compute": "evil.Plugin"}}},
        {"loss": {"class_path": DISTANCE, "init_args": {"distance_function": "evil.Plugin"}}},
    ],
)
def test_untrusted_classes_in_files(evil: Path, content: dict[str, Any]) -> None:
    path = write(evil.with_name("c.yaml"), {"stream": {"tasks": []}, **content})
    with pytest.raises(ConfigError) as error:
        parse(["--config", path])
    assert str(error.value) == (
        f"the class evil.Plugin in {path} is not of raincheck, avalanche, lightning, torch; "
        "pass --trust if you know what it does"
    )
    assert not evil.exists() and "evil" not in sys.modules


@pytest.mark.parametrize(
    "path",
    [
        "torch.utils.collect_env.run",  # runs its argument as a shell command
        "torch.distributed.elastic.multiprocessing.subprocess_handler.subprocess_handler.Popen",  # of the standard
    ],
)
def test_what_torch_has_besides_classes_of_its_own_needs_trust(tmp_path: Path, path: str) -> None:
    content = {"stream": {"tasks": []}, "trainer": {"callbacks": [{"class_path": path}]}}
    config = write(tmp_path / "c.yaml", content)
    with pytest.raises(ConfigError) as error:
        parse(["--config", config])
    assert str(error.value) == (
        f"{path} in {config} is not a class of raincheck, avalanche, lightning, torch; "
        "pass --trust if you know what it does"
    )


@pytest.mark.parametrize("text", ["", "# seed: 3\n", "seed\n", "- seed: 3\n"])
def test_a_file_without_options_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        parse(["--config", str(path)])
    assert str(error.value) == f"{path} holds no options; write lines such as `seed: 3`, or leave it out"


def test_an_included_file_is_no_way_around(evil: Path, tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.yaml", {"class_path": "evil.Plugin"})
    for content in ({"network": inner}, {"plugins": [inner]}, {"plugins": inner}, {"stream": inner}):
        path = write(tmp_path / "outer.yaml", {"stream": {"tasks": []}, **content})
        with pytest.raises(ConfigError):
            parse(["--config", path])
    whole = write(tmp_path / "whole.yaml", {"stream": {"tasks": []}, "plugins": ["evil.Plugin"]})
    for named in (whole, [whole]):
        with pytest.raises(ConfigError, match=r"there is no option config in .*outer\.yaml; choose one of stream, "):
            parse(["--config", write(tmp_path / "outer.yaml", {"config": named})])
    bar = {
        "class_path": "lightning.pytorch.callbacks.RichProgressBar",
        "init_args": {"theme": f"../{tmp_path.name}/inner.yaml"},
    }
    rain = {"name": "a", "rain": "thin", "photographs": "bundled", "variety": "inner.yaml"}
    for content in (
        {"trainer": {"callbacks": [bar]}},
        {"stream": {"tasks": [], "augment": "inner.yaml"}},
        {"stream": {"tasks": [{"class_path": "raincheck.datasets.rendered.RenderedRain", "init_args": rain}]}},
    ):
        with pytest.raises(
            ConfigError, match=r"inner\.yaml in .*outer\.yaml is not of raincheck, avalanche, lightning, "
        ):
            parse(["--config", write(tmp_path / "outer.yaml", {"stream": {"tasks": []}, **content})])
    assert not evil.exists() and "evil" not in sys.modules


def test_files_in_a_home_directory_and_urls_are_no_way_around(
    evil: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    inner = write(tmp_path / "inner.yaml", {"class_path": "evil.Plugin"})
    for named in ("~/inner.yaml", f"file://{inner}"):
        bar = {"class_path": "lightning.pytorch.callbacks.RichProgressBar", "init_args": {"theme": named}}
        path = write(tmp_path / "outer.yaml", {"stream": {"tasks": []}, "trainer": {"callbacks": [bar]}})
        with pytest.raises(ConfigError, match=r"inner\.yaml in .*outer\.yaml is not of raincheck, avalanche, "):
            parse(["--config", path])
    assert not evil.exists() and "evil" not in sys.modules


STARTS = "torch.distributed.elastic.multiprocessing.subprocess_handler.subprocess_handler.SubprocessHandler"


@pytest.mark.parametrize("place", ["argument without a type", "trainer", "callbacks"])
def test_a_class_of_torch_that_starts_commands_is_made_nowhere(base: list[str], tmp_path: Path, place: str) -> None:
    arguments = {"entrypoint": "touch", "args": [str(tmp_path / "hit")], "env": {}, "local_rank_id": 0}
    starts = {"class_path": STARTS, "init_args": {**arguments, "stdout": None, "stderr": None, "numa_options": None}}
    content: dict[str, Any] = {
        "argument without a type": {"plugins": [{"class_path": UNTYPED, "init_args": {"ewc_lambda": starts}}]},
        "trainer": {"trainer": {"strategy": starts}},
        "callbacks": {"trainer": {"callbacks": [starts]}},
    }[place]
    made = build(parse([*base, "--config", write(tmp_path / "c.yaml", content)], True))
    held = made.plugins[0].ewc_lambda if made.plugins else next(iter(made.trainer.values()))
    assert (held[0] if isinstance(held, list) else held)["class_path"] == STARTS  # as it was said, and nothing else


def test_layers_have_dots_in_their_names(base: list[str], tmp_path: Path) -> None:
    distillation = {"class_path": "raincheck.plugins.Distillation", "init_args": {"layer": "unet.before"}}
    options = ["--config", write(tmp_path / "c.yaml", {"stream": {"tasks": []}, "plugins": [distillation]})]
    assert build(parse(options)).plugins[0].layer == "unet.before"
    assert build(parse([*options, "--plugins.Distillation.layer", "unet.after"])).plugins[0].layer == "unet.after"


def test_a_module_without_a_specification_is_refused_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as in an installed program
    distillation = {"class_path": "raincheck.plugins.Distillation", "init_args": {"layer": "__main__.before"}}
    with pytest.raises(ConfigError, match=r"^the class __main__\.before .*; pass --trust if you know what it does$"):
        parse(["--config", write(tmp_path / "c.yaml", {"plugins": [distillation]})])


def test_trust_is_what_it_takes(evil: Path, base: list[str]) -> None:
    made = build(parse([*base, "--plugins+=evil.Plugin"], True))
    assert type(made.plugins[0]).__name__ == "Plugin" and evil.exists()


def test_file_names_are_no_classes(tmp_path: Path) -> None:
    """A dot does not make a class: videos are called so too."""
    rain = "raincheck.datasets.rendered.RenderedRain"
    videos = {
        "name": "test.x",
        "rain": "thin",
        "train": ["test.mp4", "json.mkv"],
        "test": ["os.avi"],
        "root": "my.data",
    }
    content = {"stream": {"tasks": [{"class_path": rain, "init_args": videos}]}, "method": "v1.two"}
    made = build(parse(["--config", write(tmp_path / "c.yaml", content), "--method", "v1.three"]))
    assert made.method == "v1.three" and made.stream.tasks[0].train[0].path == Path("my.data/test.mp4")


def test_a_pipe_is_told_that_it_is_read_twice(tmp_path: Path) -> None:
    """As `--config <(command)` of a shell would be."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match=r"pipe is a pipe, which can be read once only; give a file "):
        parse(["--config", str(tmp_path / "pipe")])
