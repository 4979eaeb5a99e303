"""Callbacks as a configuration describes them, and what is none."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, Timer
from lightning.pytorch.loggers import CSVLogger

from raincheck.config import parse
from raincheck.errors import ConfigError
from raincheck.run import run
from raincheck.seam.callbacks import Callbacks, described
from test_run import settings

LIGHTNING = "lightning.pytorch.callbacks"


def test_descriptions_become_objects(tmp_path: Path) -> None:
    stopping = {"class_path": f"{LIGHTNING}.EarlyStopping", "init_args": {"monitor": "train/loss", "patience": 7}}
    logger = {"class_path": "lightning.pytorch.loggers.CSVLogger", "init_args": {"save_dir": str(tmp_path)}}
    plain = {"max_steps": 3, "profiler": "simple"}
    made = described({**plain, "callbacks": [stopping, f"{LIGHTNING}.LearningRateMonitor"], "logger": logger})
    first, second = made["callbacks"]
    assert isinstance(first, EarlyStopping) and first.patience == 7
    assert isinstance(second, LearningRateMonitor) and isinstance(made["logger"], CSVLogger)
    assert {key: made[key] for key in plain} == plain
    assert isinstance(described({"callbacks": stopping})["callbacks"], EarlyStopping)
    given = {"callbacks": [first, EarlyStopping], "logger": False}
    assert described(given) == given


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"callbacks": "progress"}, "trainer.callbacks cannot be progress ("),
    ({"callbacks": [{"class_path": "torch.nn.ReLU"}]}, "trainer.callbacks cannot be {'class_path': 'torch.nn.ReLU'} ("),
    ({"callbacks": {"class_path": f"{LIGHTNING}.EarlyStopping", "init_args": {"monitr": "x"}}}, "trainer.callbacks "),
    ({"callbacks": {"patience": 3}}, "trainer.callbacks cannot be {'patience': 3} ("),
    ({"logger": "csv"}, "trainer.logger cannot be csv ("),
]


@pytest.mark.parametrize(("given", "beginning"), MISTAKES)
def test_what_describes_no_object_is_refused(given: dict[str, Any], beginning: str) -> None:
    with pytest.raises(ConfigError) as error:
        described(given)
    assert str(error.value).startswith(beginning) and "\n" not in str(error.value)


@pytest.mark.parametrize("given", ["progress", {"class_path": f"{LIGHTNING}.Timer"}, [3]])
def test_what_is_no_callback_is_refused(given: Any) -> None:
    with pytest.raises(
        ConfigError, match=r"^the trainer's callbacks hold .*, which is not a callback; give instances of "
    ):
        Callbacks(given)


TWINS = r"^the trainer's callbacks hold 2 whose states have one name, Timer; leave only one of them, or give each a st"


@pytest.mark.parametrize("given", [[Timer(), Timer()], [Timer, Timer]], ids=["instances", "factories"])
def test_callbacks_with_one_name_are_refused(given: list[Any]) -> None:
    with pytest.raises(ConfigError, match=TWINS):
        Callbacks(given).to_fit()
    Callbacks([EarlyStopping("a"), EarlyStopping("b"), LearningRateMonitor(), LearningRateMonitor()]).to_fit()


def config(tmp_path: Path, callbacks: Any) -> list[str]:
    path = tmp_path / "run.yaml"
    whole = settings()["stream"]
    stream = {**whole, "tasks": whole["tasks"][:2], "steps": 2}
    path.write_text(yaml.safe_dump({**settings([]), "stream": stream, "trainer": {"callbacks": callbacks}}))
    return ["--config", str(path)]


def test_a_run_uses_them_and_keeps_what_they_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without being told where, Lightning's ModelCheckpoint writes into the working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    kept = {"class_path": f"{LIGHTNING}.ModelCheckpoint"}
    run(parse(config(tmp_path, [kept]), trust=True), tmp_path / "out")
    assert len(list((tmp_path / "out" / "trainer" / "checkpoints").glob("*.ckpt"))) == 2  # one an experience
    assert not list((tmp_path / "here").iterdir())


def test_a_run_refuses_what_is_none_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^trainer.callbacks cannot be progress \("):
        run(parse(config(tmp_path, "progress"), trust=True), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_refuses_two_with_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=TWINS):
        run(parse(config(tmp_path, [f"{LIGHTNING}.Timer"] * 2), trust=True), tmp_path / "out")


@pytest.mark.parametrize("callbacks", ["evil.Callback", ["evil.Callback"]])
def test_untrusted_ones_are_refused(tmp_path: Path, callbacks: Any) -> None:
    task = {
        "class_path": "raincheck.datasets.folder.PairedFolders",
        "init_args": {"name": "a", "rainy": "a", "clean": "b"},
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"stream": {"tasks": [task]}, "trainer": {"callbacks": callbacks}}))
    with pytest.raises(
        ConfigError, match=r"^the class evil.Callback in .* is not of raincheck, avalanche, lightning, "
    ):
        parse(["--config", str(path)])
    path.write_text(yaml.safe_dump({"stream": {"tasks": [task]}}))
    with pytest.raises(
        ConfigError, match=r"^the class evil.Callback is not of raincheck, avalanche, lightning, torch; "
    ):
        parse(["--config", str(path), "--trainer.callbacks", "evil.Callback"])
