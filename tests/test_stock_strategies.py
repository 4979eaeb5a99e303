"""Avalanche's stock strategies through the mixin, `class Mine(LightningLoop, Theirs)`, against themselves.

Every strategy is in one of two groups: of the same bits as in Avalanche's own loop, or failing already there.
docs/PARITY.md is checked against them.
"""

import re
from functools import partial
from inspect import isclass, unwrap
from pathlib import Path
from typing import Any

import avalanche.training.plugins as stock_plugins
import avalanche.training.supervised as stock
import pytest
import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.utils.detection_dataset import make_detection_dataset
from avalanche.core import BasePlugin, SupervisedPlugin
from avalanche.models import (
    PNN,
    FeatureExtractorModel,
    FeCAMClassifier,
    MlpVAE,
    MTSimpleMLP,
    NCMClassifier,
    SCRModel,
    TrainEvalModel,
)
from avalanche.models.expert_gate import ExpertGate
from avalanche.models.generator import VAE_loss
from avalanche.models.packnet import PackNetModel
from avalanche.training.losses import MaskedCrossEntropy
from avalanche.training.plugins import (
    CurrentDataFeCAMUpdate,
    CurrentDataNCMUpdate,
    FeatureDistillationPlugin,
    FeCAMOracle,
    GenerativeReplayPlugin,
    MemoryFeCAMUpdate,
    MemoryNCMUpdate,
    NCMOracle,
    RARPlugin,
)
from avalanche.training.supervised.lamaml_v2 import LaMAML
from avalanche.training.supervised.naive_object_detection import ObjectDetectionTemplate
from avalanche.training.templates import SupervisedTemplate
from avalanche.training.templates.base import BaseTemplate
from torch import Tensor, nn
from torch.nn import functional

from parity import MLP, Setting, StopAfterThree, assert_same, classes, learn, mlp
from raincheck.errors import ConfigError
from raincheck.strategy import LightningLoop, LightningStrategy
from test_strategy_features import half
from tinytasks import same


class SplitMLP(nn.Module):
    """Features and a classifier, by the names that strategies look for."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(10, 16), nn.ReLU()), nn.Linear(16, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


class Detector(nn.Module):
    """One box for each image, with the interface of torchvision's detectors."""

    def __init__(self) -> None:
        super().__init__()
        self.box = nn.Linear(10, 4)

    def forward(self, images: list[Tensor], targets: Any = None) -> Any:
        found = self.box(torch.stack(images).flatten(1))
        if targets is None:
            return [{"boxes": box} for box in found]
        return {"boxes": sum((box - t["boxes"]).abs().mean() for box, t in zip(found, targets, strict=True))}


def boxes() -> Any:
    """Twelve pictures with a box in each of three experiences."""
    generator = torch.Generator().manual_seed(0)

    def data() -> Any:
        targets = [
            {"boxes": torch.rand(4, generator=generator), "labels": torch.tensor([0]), "image_id": torch.tensor(i)}
            for i in range(12)
        ]
        pairs = [(torch.rand(1, 2, 5, generator=generator), target) for target in targets]
        return make_detection_dataset(pairs, targets=targets, task_labels=[0] * 12)

    return benchmark_from_datasets(train=[data() for _ in range(3)], test=[data()])


class Autoencoder(nn.Module):
    """As in Avalanche's ExpertGate: what is reconstructed are the features of a frozen module."""

    def __init__(self) -> None:
        super().__init__()
        self.feature_module = nn.Flatten()
        self.inside = nn.Sequential(nn.Linear(10, 4), nn.ReLU(), nn.Linear(4, 10), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.inside(self.feature_module(x))


def encoder() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 8))


def contrastive() -> nn.Module:
    return SCRModel(encoder(), nn.Linear(8, 4))


class AlexNet(nn.Module):
    """A small network in the place of torchvision's, whose weights ExpertGate would download."""

    def __init__(self, weights: str) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 256, 1), nn.AdaptiveAvgPool2d(6))
        self.avgpool, self.classifier = nn.AvgPool2d(6), nn.Sequential(nn.Linear(256, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class Prompted(nn.Module):
    """In the place of L2P's vision transformer, which would be downloaded, and whose code timm 1.0 does not fit."""

    def __init__(self, **how: Any) -> None:
        super().__init__()
        self.embedded, self.key, self.head = nn.Linear(10, 768), nn.Parameter(torch.rand(768)), nn.Linear(768, 6)

    def reset_classifier(self, classes: int) -> None:
        """It has none where it only looks."""

    def forward(self, x: Tensor, cls_features: Tensor | None = None, **how: Any) -> dict[str, Tensor]:
        found = self.embedded(x.flatten(1))
        if cls_features is None:
            return {"pre_logits": found}
        similar = functional.cosine_similarity(cls_features, self.key.expand_as(cls_features))
        return {"logits": self.head(found + self.key * cls_features), "reduce_sim": similar.mean()}


class Latent(nn.Module):
    """In the place of AR1's own network, a MobileNet whose weights would be downloaded."""

    def __init__(self, pretrained: bool, latent_layer_num: int) -> None:
        super().__init__()
        self.lat_features = nn.Sequential(nn.Conv2d(1, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.end_features = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.output = nn.Linear(40, 6, bias=False)

    def forward(self, x: Tensor, latent_input: Tensor | None = None, return_lat_acts: bool = False) -> Any:
        latent = self.lat_features(x)
        reviewed = latent if latent_input is None else torch.cat((latent, latent_input))
        logits = self.output(self.end_features(reviewed))
        return (logits, latent) if return_lat_acts else logits


def vae() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = MlpVAE((1, 2, 5), nhid=2)
    return model, torch.optim.Adam(model.parameters(), 0.01)


def generator() -> SupervisedTemplate:
    model, optimizer = vae()
    arguments = {"criterion": VAE_loss, "train_mb_size": 6, "plugins": [GenerativeReplayPlugin()], "evaluator": None}
    return stock.VAETraining(model=model, optimizer=optimizer, **arguments)


MANY_HEADS: Setting = {"stream": partial(classes, 3)}
EQUAL: dict[str, Setting] = {
    "Naive": {},
    "OnlineNaive": {"train_passes": 2},
    "Cumulative": {},
    "JointTraining": {"joint": True},
    "FromScratchTraining": {"reset_optimizer": False},
    "Replay": {"mem_size": 12},
    "EWC": {"ewc_lambda": 10},
    "SynapticIntelligence": {"si_lambda": 1.0},
    "MAS": {},
    "LwF": {"alpha": 1.0, "temperature": 2.0},
    "LFL": {"lambda_e": 0.1},
    "AGEM": {"patterns_per_exp": 6, "sample_size": 6},
    "GEM": {"patterns_per_exp": 6, "memory_strength": 0.5},
    "GDumb": {"mem_size": 12},
    "GSS_greedy": {"mem_size": 40, "mem_strength": 2, "input_size": [1, 2, 5]},
    "MIR": {"mem_size": 12, "subsample": 8, "batch_size_mem": 4},
    "CWRStar": {"cwr_layer_name": None},
    "CoPE": {"mem_size": 12, "n_classes": 6, "p_size": 6},
    "PNNStrategy": {"model": lambda: PNN(1, 10, 8), **MANY_HEADS},
    "PackNet": {"model": lambda: PackNetModel(mlp()), "post_prune_epochs": 1, "prune_proportion": 0.5, **MANY_HEADS},
    "DER": {"mem_size": 12, "batch_size_mem": 4},
    "ER_ACE": {"mem_size": 12, "batch_size_mem": 4},
    "ER_AML": {
        "model": SplitMLP,
        "mem_size": 36,
        "batch_size_mem": 4,
        "extra": lambda m: {"feature_extractor": m.features},
    },
    "MER": {"mem_size": 12, "batch_size_mem": 3, "n_inner_steps": 2},
    "LaMAML": {"model": lambda: MTSimpleMLP(**MLP), "n_inner_updates": 2, "train_epochs": 1, **MANY_HEADS},
    "AR1": {
        "rm_sz": 12,
        "freeze_below_layer": "lat_features.1.weight",
        "latent_layer_num": 2,
        "ewc_lambda": 0.1,
        "lr": 0.01,
        "inc_lr": 0.01,
        "inc_update_rate": 0.1,
    },
    "StreamingLDA": {"extra": lambda _: {"slda_model": encoder(), "input_size": 8, "num_classes": 6}},
    "LearningToPrompt": {"model_name": "small", "num_classes": 6, "lr": 0.01},
    "ExpertGateStrategy": {
        "model": lambda: ExpertGate((1, 2, 5), "cpu"),
        "ae_latent_dim": 4,
        "ae_train_mb_size": 6,
        **MANY_HEADS,
    },
    "SCR": {"model": contrastive, "mem_size": 12, "batch_size_mem": 4},
    "FeatureReplay": {
        "model": SplitMLP,
        "mem_size": 12,
        "batch_size_mem": 4,
        "extra": lambda _: {"criterion": MaskedCrossEntropy()},  # it keeps state
    },
    "ICaRL": {
        "model": SplitMLP,
        "memory_size": 12,
        "buffer_transform": None,
        "fixed_memory": True,
        "extra": lambda m: {"feature_extractor": m.features, "classifier": m.classifier},
    },
    "AETraining": {"model": Autoencoder, "criterion": nn.MSELoss(), "device": "cpu"},
    "VAETraining": {
        "model": lambda: vae()[0],
        "criterion": VAE_loss,
        "optimizer": lambda parameters: torch.optim.Adam(parameters, 0.01),  # SGD's rate leads to weights that are NaN
    },
    "GenerativeReplay": {"extra": lambda _: {"generator_strategy": generator()}},
    "ObjectDetectionTemplate": {
        "stream": boxes,
        "model": Detector,
        "extra": lambda _: {"scaler": torch.amp.GradScaler("cpu")},
    },
}
NEAREST_MEAN = {"model": lambda: TrainEvalModel(encoder(), nn.Linear(8, 6), NCMClassifier())}
COVARIANCES = {  # of features that are positive, as their roots are taken
    "model": lambda: TrainEvalModel(nn.Sequential(encoder(), nn.Softplus()), nn.Linear(8, 6), FeCAMClassifier())
}
PLUGINS: dict[str, Setting] = {  # those that tests/test_strategy_classification.py does not run already
    "RARPlugin": {"beside": lambda *_: [RARPlugin(4, mem_size=12, name_ext_layer="features.0")], "model": SplitMLP},
    "FeatureDistillationPlugin": {
        "beside": lambda *_: [FeatureDistillationPlugin(0.5)],
        "model": lambda: FeatureExtractorModel(encoder(), nn.Linear(8, 6)),
    },
    "CurrentDataNCMUpdate": {"beside": lambda *_: [CurrentDataNCMUpdate()], **NEAREST_MEAN},
    "MemoryNCMUpdate": {"beside": lambda *_: [MemoryNCMUpdate(12)], **NEAREST_MEAN},
    "NCMOracle": {"beside": lambda *_: [NCMOracle()], **NEAREST_MEAN},
    "CurrentDataFeCAMUpdate": {"beside": lambda *_: [CurrentDataFeCAMUpdate()], **COVARIANCES},
    "MemoryFeCAMUpdate": {"beside": lambda *_: [MemoryFeCAMUpdate(12)], **COVARIANCES},
    "FeCAMOracle": {"beside": lambda *_: [FeCAMOracle()], **COVARIANCES},
}
SMALL = {
    "avalanche.training.supervised.ar1.MobilenetV1": Latent,
    "avalanche.training.supervised.l2p.create_model": Prompted,
    "torchvision.models.alexnet": AlexNet,
}
# in Avalanche's own loop, with this error, from this line
FAILS: dict[str, tuple[Setting, type[Exception], str, str]] = {
    "BiC": (
        {"mem_size": 12, "val_percentage": 0.2, "stage_2_epochs": 2},
        TypeError,
        r"unexpected keyword argument 'verbose'",
        "plugins/bic.py: scheduler = MultiStepLR(",
    ),
}
WITH_OWN_EPOCH = ("DER", "ER_ACE", "ER_AML")
MOSTLY_SLOW = [pytest.param(name, marks=[pytest.mark.slow] * (name != "DER")) for name in WITH_OWN_EPOCH]


def mixed(name: str) -> type:
    return type(f"Lightning{name}", (LightningLoop, STRATEGIES[name]), {})


STRATEGIES = {
    name: cls
    for name, cls in [
        *((name, unwrap(value)) for name, value in vars(stock).items() if callable(value)),
        ("LaMAML", LaMAML),
        ("ObjectDetectionTemplate", ObjectDetectionTemplate),
    ]
    if isclass(cls) and issubclass(cls, BaseTemplate)
}


@pytest.mark.parametrize("name", EQUAL)
def test_same_bits_as_avalanche(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, network in SMALL.items():
        monkeypatch.setattr(place, network)
    assert_same(learn(mixed(name), EQUAL[name]), learn(STRATEGIES[name], EQUAL[name]))


def test_an_argument_that_both_have_is_theirs_by_default() -> None:
    assert_same(learn(mixed("FromScratchTraining")), learn(STRATEGIES["FromScratchTraining"]))


@pytest.mark.parametrize("name", PLUGINS)
def test_plugins_of_the_same_bits(name: str) -> None:
    assert_same(learn(LightningStrategy, PLUGINS[name]), learn(SupervisedTemplate, PLUGINS[name]))


@pytest.mark.parametrize("name", FAILS)
def test_fails_in_avalanche_itself(name: str) -> None:
    setting, error, message, place = FAILS[name]
    with pytest.raises(error, match=message) as caught:
        learn(STRATEGIES[name], setting)
    file, _, line = place.partition(": ")
    assert any(str(entry.path).endswith(file) and line in str(entry.statement) for entry in caught.traceback)


def test_every_stock_strategy_has_its_row_in_the_table() -> None:
    """docs/PARITY.md and the tests say the same of every strategy that Avalanche exports."""
    exported = {n for n, value in vars(stock).items() if n in STRATEGIES} - {"SupervisedTemplate"}
    groups = {"equal": EQUAL, "fails in Avalanche": FAILS}
    tested = {name: group for group, names in groups.items() for name in names}
    assert exported <= set(tested)
    text = (Path(__file__).parents[1] / "docs" / "PARITY.md").read_text(encoding="utf-8")
    head, tail = text.split("## Plugins")
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+?)(?:, .*?)? \|", head, flags=re.MULTILINE)
    assert dict(rows) == tested
    plugins = {n for n, value in vars(stock_plugins).items() if isclass(value) and issubclass(value, BasePlugin)}
    named = [
        name for row in re.findall(r"^\| (`.*?) \|", tail, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    ]
    assert sorted(named) == sorted(plugins - {"SupervisedPlugin"})


class TakesRateFromBatch(SupervisedPlugin):
    """Reads the batch at which an epoch was left."""

    def after_training_epoch(self, strategy: Any, **kwargs: Any) -> None:
        strategy.optimizer.param_groups[0]["lr"] = float(strategy.mb_x.mean()) / 10


@pytest.mark.parametrize("name", MOSTLY_SLOW)
@pytest.mark.parametrize(
    "setting",
    [{"beside": lambda *_: [StopAfterThree(), TakesRateFromBatch()]}, {"eval_every": 2, "peval_mode": "iteration"}],
    ids=["stop", "eval"],
)
def test_own_epochs_stop_and_evaluate_in_the_middle(name: str, setting: Setting) -> None:
    assert_same(learn(mixed(name), EQUAL[name] | setting), learn(STRATEGIES[name], EQUAL[name] | setting))


@pytest.mark.parametrize("name", MOSTLY_SLOW)
def test_own_epochs_are_clipped(name: str) -> None:
    """Lightning's clipping is that of a strategy that clips before each step."""

    class Clipped(STRATEGIES[name]):  # type: ignore[misc]
        def optimizer_step(self) -> None:
            nn.utils.clip_grad_norm_(self.model.parameters(), 0.1)
            super().optimizer_step()

    theirs = learn(Clipped, EQUAL[name])
    ours = learn(mixed(name), EQUAL[name], trainer={"gradient_clip_val": 0.1})
    plain = learn(mixed(name), EQUAL[name])
    assert same(ours.weights, theirs.weights)
    assert not same(plain.weights, theirs.weights)


@pytest.mark.parametrize("name", MOSTLY_SLOW)
def test_own_epochs_in_mixed_precision(name: str) -> None:
    """Lightning's autocast covers the forward pass and the loss of a strategy's own epoch."""

    class Autocast(STRATEGIES[name]):  # type: ignore[misc]
        def _before_forward(self, **kwargs: Any) -> None:
            self.context = torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False)  # as in Lightning
            self.context.__enter__()
            super()._before_forward(**kwargs)

        def backward(self) -> None:
            self.context.__exit__(None, None, None)
            super().backward()

    theirs = learn(Autocast, EQUAL[name])
    ours = learn(mixed(name), EQUAL[name], trainer={"precision": "bf16-mixed"})
    plain = learn(mixed(name), EQUAL[name])
    assert same(ours.weights, theirs.weights)
    assert not same(plain.weights, theirs.weights)


@pytest.mark.parametrize("name", MOSTLY_SLOW)
def test_own_epochs_show_plugins_no_scale_in_fp16(name: str) -> None:
    def gradients(trainer: Setting) -> list[Tensor]:
        found: list[Tensor] = []

        class Look(SupervisedPlugin):
            def after_backward(self, strategy: Any, **kwargs: Any) -> None:
                found.append(torch.cat([p.grad.flatten() for p in strategy.model.parameters()]))

            before_update = after_backward

        learner = learn(mixed(name), EQUAL[name], beside=lambda *_: [Look()], trainer=trainer).learner
        assert (learner.last_fit.precision_plugin.precision == "16-mixed") == bool(trainer)
        return found

    scaled, plain = gradients(half()), gradients({})
    assert all(torch.equal(early, late) for early, late in zip(scaled[::2], scaled[1::2], strict=True))
    assert torch.allclose(scaled[0], plain[0], atol=0.01 * float(plain[0].abs().max()))


@pytest.mark.parametrize("name", WITH_OWN_EPOCH)
def test_own_epochs_refuse_accumulation(name: str) -> None:
    with pytest.raises(ConfigError, match=r"works on the gradient of one batch, which gradient accumulation gives in"):
        learn(mixed(name), EQUAL[name], trainer={"accumulate_grad_batches": 2})


class OwnEvaluation(SupervisedTemplate):
    def eval_epoch(self, **kwargs: Any) -> None:
        """Something else."""


class OwnExperience(SupervisedTemplate):
    def _train_exp(self, *args: Any, **kwargs: Any) -> None:
        """Something else."""


class OwnPenalty(SupervisedTemplate):
    def _before_backward(self, **kwargs: Any) -> None:
        """Something else."""


@pytest.mark.parametrize(
    ("strategy", "method"),
    [(OwnEvaluation, "eval_epoch"), (OwnExperience, "_train_exp"), (OwnPenalty, "_before_backward")],
)
def test_what_would_be_passed_over_is_refused(strategy: type, method: str) -> None:
    mine = type("Mine", (LightningLoop, strategy), {})
    with pytest.raises(ConfigError, match=f"^{strategy.__name__} replaces Avalanche's {method}, which Lightning would"):
        mine(model=mlp(), optimizer=None)


class OwnForward(SupervisedTemplate):
    """Everything else may be replaced, because it is called."""

    def forward(self) -> Tensor:
        return 2 * super().forward()

    def criterion(self) -> Tensor:
        return super().criterion() / 3

    def backward(self) -> None:
        super().backward()
        for parameter in self.model.parameters():
            parameter.grad = parameter.grad / 2

    def _before_update(self, **kwargs: Any) -> None:
        super()._before_update(**kwargs)
        nn.utils.clip_grad_value_(self.model.parameters(), 0.01)


class OwnOptimizer(SupervisedTemplate):
    """Makes another for every experience, and halves its rate with Avalanche's own help."""

    def make_optimizer(self, **kwargs: Any) -> None:
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.02)
        super().make_optimizer(**kwargs)
        self.optimizer.param_groups[0]["lr"] /= 2


class OwnStep(SupervisedTemplate):
    """Clips, and steps twice."""

    def optimizer_step(self) -> None:
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.1)
        super().optimizer_step()
        super().optimizer_step()


class OwnEpochAndStep(stock.ER_ACE):
    """Which both are run, the one within the other."""

    def optimizer_step(self) -> None:
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.1)
        super().optimizer_step()


class OwnBatches(SupervisedTemplate):
    """Batches that are dictionaries."""

    def _obtain_common_dataloader_parameters(self, **kwargs: Any) -> Any:
        return super()._obtain_common_dataloader_parameters(**kwargs) | {"collate_fn": self.collated}

    def collated(self, rows: Any) -> dict[str, Tensor]:
        images, labels, tasks = zip(*rows, strict=True)
        return {"image": torch.stack(images), "label": torch.tensor(labels), "task": torch.tensor(tasks)}

    def _unpack_minibatch(self) -> None:
        """They are where they should be."""

    def forward(self) -> Tensor:
        return self.model(self.mbatch["image"])

    def criterion(self) -> Tensor:
        return self._criterion(self.mb_output, self.mbatch["label"])


@pytest.mark.parametrize("kind", [OwnForward, OwnOptimizer, OwnStep, OwnEpochAndStep, OwnBatches])
def test_what_is_called_may_be_replaced(kind: type) -> None:
    more = {"mem_size": 12, "batch_size_mem": 6}
    assert_same(learn(type("Mine", (LightningLoop, kind), {}), more), learn(kind, more))


def test_the_mixin_comes_first() -> None:
    """The other way round, Avalanche's own loop would run, silently."""
    with pytest.raises(
        ConfigError, match=r"^Mine names LightningLoop after Avalanche's strategy; name LightningLoop fi"
    ):
        type("Mine", (stock.Naive, LightningLoop), {})
