"""Two real processes (gloo, on the CPU) against one: the command line, and LightningStrategy by itself."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from program import PATIENCE, RAINCHECK, environment, finish, processes_of, until
from raincheck.networks import load_network
from several_processes import BATCH, CASES, EPOCHS, ROWS
from test_run import RRGNET, settings

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
EWC = {"class_path": "raincheck.plugins.EWC", "init_args": {"ewc_lambda": 1e-3, "clips": 8}}
METHODS: dict[str, list[dict[str, Any]]] = {"finetune": [], "rrgnet": [*RRGNET[:-1], EWC], "ewc": [EWC]}
SGD = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.05}}  # Adam makes steps of the noise of small gradients
TWO = ("--trainer.devices", "2", "--trainer.strategy", "ddp", "--trainer.accelerator", "cpu")
# With a seed that somebody's `seed_everything` left: Lightning must not go back to it.
ENVIRONMENT = environment(PL_GLOBAL_SEED="3")


def command(out: Path, *options: str, **changes: Any) -> list[str]:
    config = out.with_name(f"{out.name}.yaml")
    config.write_text(yaml.safe_dump(settings(optimizer=SGD, **changes)))
    return [*RAINCHECK, "run", "--trust", "--config", str(config), "--out", str(out), *options]


def start(out: Path, *options: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    return finish(command(out, *options, **changes), env=ENVIRONMENT)


def report(out: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((out / "report.json").read_text())
    return read


def close(one: Any, other: Any, tolerance: float = 1e-9) -> bool:
    """Whether two structures of tensors and primitives are the same but for the order of additions."""
    if isinstance(one, Tensor):
        return torch.allclose(one.double(), other.double(), rtol=tolerance, atol=tolerance)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key], tolerance) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(close(a, b, tolerance) for a, b in zip(one, other, strict=True))
    return one == pytest.approx(other, rel=tolerance, abs=tolerance) if isinstance(one, float) else bool(one == other)


def exactly(one: Any, other: Any) -> bool:
    return close(one, other, 0.0)


Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, Found, Found]:
    """What one process found, and each of two."""
    out = tmp_path_factory.mktemp("learned")
    for devices in ("1", "2"):
        (out / devices).mkdir()
        program = [sys.executable, str(HERE / "several_processes.py"), str(out / devices), devices]
        done = finish(program, env=ENVIRONMENT)
        assert done.returncode == 0, done.stderr
    one, first, second = (torch.load(out / name, weights_only=False) for name in ("1/0.pt", "2/0.pt", "2/1.pt"))
    return one, first, second


@pytest.mark.parametrize("case", CASES)
def test_two_processes_agree(learned: tuple[Found, Found, Found], case: str) -> None:
    """To the bit: weights, losses, memories, importances, generators, and metrics of the whole stream."""
    _, first, second = learned
    for what in ("weights", "losses", "drawn", "memories", "metrics"):
        assert exactly(first[case][what], second[case][what]), what


@pytest.mark.parametrize("case", [case for case in CASES if case != "dropout"])
def test_two_processes_learn_what_one_does(learned: tuple[Found, Found, Found], case: str) -> None:
    one, first, _ = learned
    assert len(one[case]["losses"]) == {"batch of 1": ROWS, "accumulated": 2}.get(case, 3) * EPOCHS * 2
    assert one[case]["metrics"] and max(one[case]["losses"]) < 1  # where it blows up, tolerances say nothing
    for what in ("weights", "losses", "drawn", "memories", "metrics"):
        assert close(first[case][what], one[case][what]), what


@pytest.mark.parametrize("case", ["naive", "review", "replay", "dropout"])
def test_each_loads_its_share_reshuffled_at_every_epoch(learned: tuple[Found, Found, Found], case: str) -> None:
    one, first, second = learned
    orders = []
    for whole, *parts in zip(one[case]["epochs"], first[case]["epochs"], second[case]["epochs"], strict=True):
        assert sorted(parts[0] + parts[1]) == list(range(ROWS))  # disjoint, and nothing left out
        batches = [whole[i : i + BATCH] for i in range(0, ROWS, BATCH)]
        if case != "replay":  # with which there are rows of the memory in each batch, and the second loads most of them
            assert [len(part) for part in parts] == [8, 5]  # of batches of 5, 5 and 3
        if case not in ("replay", "dropout"):  # after dropout the generators of one process stand elsewhere
            assert parts[0] == [row for batch in batches for row in batch[: -(-len(batch) // 2)]]
        orders.append(tuple(parts[0]))
    assert len(set(orders)) == len(orders) == 2 * EPOCHS


def test_dropout_is_not_the_same_in_both(learned: tuple[Found, Found, Found]) -> None:
    """The weights agree, and the losses are not those of a network without it."""
    _, first, second = learned
    assert first["dropout"]["losses"] != first["naive"]["losses"]
    assert exactly(first["dropout"]["weights"], second["dropout"]["weights"])


def test_what_would_be_wrong_in_several_is_refused_by_each(learned: tuple[Found, Found, Found]) -> None:
    sentences = {"differentiates": "a plugin or strategy differentiates the output", "rwalk": "RWalkPlugin divides by "}
    sentences["mixes"] = "the processes have diverged, with losses of "
    for case, sentence in sentences.items():
        assert str(learned[0][case]) == "learned"
        assert all(str(found[case]).startswith(sentence) for found in learned[1:])


def gap(one: list[float], other: list[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_a_run_of_two_processes_finds_what_one_finds(tmp_path: Path, method: str) -> None:
    plugins = METHODS[method]
    alone, both = tmp_path / "alone", tmp_path / "both"
    start(alone, plugins=plugins).check_returncode()
    done = start(both, *TWO, plugins=plugins)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("written to") == 1 and done.stdout.count("tiny: veil") == 1
    ours, theirs = report(both), report(alone)
    for name, scores in ours["metrics"].items():
        assert close(scores["R"], theirs["metrics"][name]["R"], 1e-3)  # of 8-bit pixels, some of which round otherwise
    untrained, *_, trained = ours["metrics"]["psnr_y"]["R"]
    assert gap(untrained, trained) > 20 * gap(trained, theirs["metrics"]["psnr_y"]["R"][-1])
    assert all(ours[cost] == theirs[cost] for cost in ("review_bytes", "memory_bytes", "extra_passes"))
    assert close(load_network(both).state_dict(), load_network(alone).state_dict(), 1e-4)  # float32
    assert {path.name for path in both.iterdir()} == {path.name for path in alone.iterdir()}
    assert len(list(both.rglob("metrics.csv"))) == 1


@pytest.mark.parametrize("rank", [0, 1])
def test_a_run_of_which_one_process_was_killed_goes_on(tmp_path: Path, rank: int) -> None:
    """In the middle of an experience, of which each step is kept."""
    whole, out, options = tmp_path / "whole", tmp_path / "killed", (*TWO, "--save_every", "0")
    start(whole, *TWO, plugins=METHODS["rrgnet"]).check_returncode()
    first = subprocess.Popen(
        command(out, *options, plugins=METHODS["rrgnet"]),
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        kept = out / "checkpoints" / "experience-1.ckpt"
        until(lambda: kept.exists() or first.poll() is not None, "a checkpoint of the second experience")
        assert first.poll() is None
        (other,) = set(processes_of(out)) - {first.pid}
        os.kill((first.pid, other)[rank], signal.SIGKILL)
        assert first.wait(PATIENCE) != 0
        until(lambda: processes_of(out) == [], "the end of the other process")
    finally:
        first.kill()
    assert not (out / "report.json").exists()
    start(out, *options, plugins=METHODS["rrgnet"]).check_returncode()
    assert exactly(load_network(out).state_dict(), load_network(whole).state_dict())
    assert report(out)["metrics"] == report(whole)["metrics"]


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_in_one_process_ends_all(tmp_path: Path, rank: int) -> None:
    """Of which the other knows nothing; the second process leaves the first a minute to end."""
    breaks = {"class_path": "killing.Breaks", "init_args": {"rank": rank}}
    done = start(tmp_path / "run", *TWO, plugins=[breaks])
    assert done.returncode != 0 and "ZeroDivisionError: in one process alone" in done.stderr
    until(lambda: processes_of(tmp_path / "run") == [], "the end of both")


REVIEW = {"class_path": "raincheck.plugins.RainReview", "init_args": {"budget": 9000}}
MISTAKES: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "an option": ({}, ("--batch", "0"), "batch must be 1 or more"),
    "a budget": ({"plugins": [REVIEW]}, (), "a review budget of 9000 bytes gives each of 3 tasks"),
    "a crop": ({"stream": {**settings()["stream"], "crop": 33}}, (), "veil-"),
    "divergence": ({"optimizer": {**SGD, "init_args": {"lr": 1e30}}}, (), "the loss term"),
    "a strategy": ({}, ("--trainer.strategy", "ddp_spawn"), "several processes cannot learn by the trainer's strategy"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_said_once(tmp_path: Path, name: str) -> None:
    changes, options, sentence = MISTAKES[name]
    out = tmp_path / "run"
    changed = {"plugins": [], **changes}
    program = command(out, *TWO, *options, **{key: value for key, value in changed.items() if key != "optimizer"})
    if "optimizer" in changes:
        out.with_name("run.yaml").write_text(yaml.safe_dump({**settings(plugins=[]), **changes}))
    done = finish(program, env=ENVIRONMENT)
    assert done.returncode == 2
    assert done.stderr.startswith(f"raincheck: error: {sentence}") and done.stderr.count("\n") == 1
    assert not out.exists() and processes_of(out) == []


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    from raincheck.files import locked

    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run"):
        done = start(tmp_path / "run", *TWO, plugins=[])
    assert done.returncode == 2
    assert done.stderr.startswith("raincheck: error: another process is running in ")
    assert done.stderr.count("\n") == 1


def torchrun(program: list[str]) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *program[1:]]


def test_torchrun(tmp_path: Path) -> None:
    """Processes that somebody else has started."""
    out, other = tmp_path / "torchrun", tmp_path / "launched"
    started = finish(torchrun(command(out, *TWO, plugins=[])), env=ENVIRONMENT)
    assert started.returncode == 0, started.stderr
    start(other, *TWO, plugins=[]).check_returncode()
    assert exactly(load_network(out).state_dict(), load_network(other).state_dict())


def test_a_process_that_torchrun_loses_is_one_sentence(tmp_path: Path) -> None:
    """As of another machine, about whose end nobody tells the first process."""
    out = tmp_path / "run"
    program = torchrun(command(out, *TWO, "--save_every", "0", plugins=[]))
    with subprocess.Popen(program, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as agent:
        until(lambda: (out / "checkpoints" / "experience-1.ckpt").exists() or agent.poll() is not None, "a checkpoint")
        second = [p for p in processes_of(out) if b"\0RANK=1\0" in b"\0" + Path(f"/proc/{p}/environ").read_bytes()]
        os.kill(agent.pid, signal.SIGSTOP)  # or it would end the first process before it has noticed
        os.kill(second[0], signal.SIGKILL)
        until(lambda: processes_of(out)[1:] == [], "the end of the first process")
        os.kill(agent.pid, signal.SIGCONT)
        said = agent.communicate(timeout=PATIENCE)[1]
    assert said.count("raincheck: error: another process of this run has ended or cannot be reached; ") == 1
    assert "[rank" not in said


def test_torchrun_without_devices_is_refused(tmp_path: Path) -> None:
    done = finish(torchrun(command(tmp_path / "run", plugins=[])), env=ENVIRONMENT)
    assert done.returncode != 0
    assert done.stderr.count("raincheck: error: torchrun started 2 processes, but the trainer is for one; set ") == 1


def test_slurm(tmp_path: Path) -> None:
    """Two tasks as `srun --ntasks-per-node 2` starts them."""
    out = tmp_path / "slurm"
    port = str(20000 + os.getpid() % 10000)
    common = {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "SLURM_NODEID": "0"}
    common |= {"SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "rain", "SLURM_NODELIST": "localhost", "MASTER_ADDR": "127.0.0.1"}
    tasks = [
        subprocess.Popen(
            command(out, *TWO, plugins=[]),
            env=environment(**common, MASTER_PORT=port, SLURM_PROCID=str(rank), SLURM_LOCALID=str(rank)),
        )
        for rank in range(2)
    ]
    try:
        assert [task.wait(PATIENCE) for task in tasks] == [0, 0]
    finally:
        for task in tasks:
            task.kill()  # of one that failed, the other would wait for ever
    assert report(out)["tasks"] == ["veil", "streaks", "drops"]
