"""Weight averaging: against torch's own moving average."""

from typing import Any

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch.optim.swa_utils import get_ema_multi_avg_fn

from raincheck.errors import ConfigError
from raincheck.plugins import WeightAveraging
from tinytasks import learn


class Follow(SupervisedPlugin):
    """Torch's average over the same weights, which goes on from task to task."""

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay, self.steps = decay, 0
        self.average: list[torch.Tensor] = []
        self.ends: list[bool] = []

    def before_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        if not self.average:
            self.average = [p.detach().clone() for p in strategy.model.parameters()]

    def after_update(self, strategy: Any, **kwargs: Any) -> None:
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        get_ema_multi_avg_fn(decay)(self.average, [p.detach() for p in strategy.model.parameters()], self.steps)
        self.steps += 1

    def after_training_exp(self, strategy: Any, **kwargs: Any) -> None:
        pairs = zip(strategy.model.parameters(), self.average, strict=True)
        self.ends.append(all(torch.allclose(p, a, atol=1e-7) for p, a in pairs))


def test_every_task_ends_with_the_average_over_all() -> None:
    follow = Follow(0.6)
    learn(lambda: [WeightAveraging(0.6), follow])
    assert follow.ends == [True] * 3 and follow.steps == 18


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_a_decay_out_of_range_is_refused(decay: float) -> None:
    with pytest.raises(ConfigError) as error:
        WeightAveraging(decay)
    assert str(error.value) == f"WeightAveraging cannot have decay {decay}; give 0 or more and less than 1"


def test_a_resumed_average_lies_where_the_model_is() -> None:
    plugin = WeightAveraging()
    plugin.average = {"a": torch.zeros(2, device="meta")}  # as `before_training_exp` has made it
    plugin.load_state_dict({"average": {"a": torch.ones(2)}, "steps": 3})
    assert plugin.average["a"].device.type == "meta" and plugin.steps == 3
