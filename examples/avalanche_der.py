"""A stock strategy that is a class of its own, here Dark Experience Replay, in Lightning: by the mixin `LightningLoop`.

    python examples/avalanche_der.py

Takes seconds. What Lightning would have to train wrongly is refused with a sentence, as the last line shows.
"""

import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import SimpleMLP
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import DER
from raincheck.errors import ConfigError
from raincheck.strategy import LightningLoop

from avalanche_naive import digits


class MyDER(LightningLoop, DER):
    """DER, whose arguments it takes, and those of `LightningLoop`."""


def learner(**trainer: object) -> MyDER:
    torch.manual_seed(0)
    model = SimpleMLP(num_classes=10, input_size=64, hidden_size=128)
    return MyDER(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        mem_size=100,
        batch_size_mem=16,
        train_mb_size=16,
        train_epochs=4,
        eval_mb_size=64,
        evaluator=EvaluationPlugin(accuracy_metrics(stream=True), loggers=[]),
        trainer=trainer,
    )


def main() -> None:
    strategy, benchmark = learner(precision="bf16-mixed", gradient_clip_val=1.0), digits()
    for experience in benchmark.train_stream:
        strategy.train(experience)
        (accuracy,) = strategy.eval(benchmark.test_stream).values()
        print(f"after the digits {sorted(experience.classes_in_this_experience)}: accuracy {accuracy:.2f}")
    try:
        learner(accumulate_grad_batches=2)
    except ConfigError as refusal:
        print(f"refused: {refusal}")


if __name__ == "__main__":
    main()
