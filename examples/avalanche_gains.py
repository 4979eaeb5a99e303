"""What Lightning brings to an Avalanche strategy, by one argument, `trainer`; the stock plugins stay as they are.

    python examples/avalanche_gains.py

Takes seconds, and writes into runs/avalanche_gains: a CSV of every loss term, and the best weights of each experience.
"""

import csv
from pathlib import Path

import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import SimpleMLP
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, ReplayPlugin
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from raincheck.strategy import LightningStrategy
from torch import nn

from avalanche_naive import digits

OUT = Path("runs/avalanche_gains")


def main() -> None:
    torch.manual_seed(0)
    benchmark = digits()
    # Without `backend` it is faster, but compiling for it takes a while, and a C++ compiler.
    model = torch.compile(SimpleMLP(num_classes=10, input_size=64, hidden_size=128), backend="aot_eager")
    log = CSVLogger(OUT, name="", version="log")
    strategy = LightningStrategy(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=8,
        train_epochs=8,
        eval_mb_size=64,
        plugins=[EWCPlugin(ewc_lambda=1.0), ReplayPlugin(mem_size=100)],
        evaluator=EvaluationPlugin(accuracy_metrics(stream=True), loggers=[]),
        trainer={
            "accelerator": "auto",  # a GPU where there is one
            "devices": 1,
            "precision": "bf16-mixed",
            "accumulate_grad_batches": 2,  # steps on 16 digits, with the memory of 8
            "gradient_clip_val": 1.0,
            "logger": log,  # one x axis for all experiences
            "log_every_n_steps": 1,
            # These two start every experience afresh; a callback of your own keeps its state.
            "callbacks": [
                EarlyStopping("train/loss", min_delta=0.01, patience=1, check_on_train_epoch_end=True),
                ModelCheckpoint(OUT / "best", monitor="train/loss", save_on_train_epoch_end=True),
            ],
        },
    )
    for experience in benchmark.train_stream:
        strategy.train(experience)
        best, epochs = strategy.last_fit.checkpoint_callback.best_model_path, strategy.last_fit.current_epoch
        (accuracy,) = strategy.eval(benchmark.test_stream).values()
        digit = sorted(experience.classes_in_this_experience)
        print(f"after the digits {digit}: {epochs} epochs, accuracy {accuracy:.2f}, best weights in {Path(best).name}")
    metrics = Path(log.log_dir) / "metrics.csv"
    with metrics.open() as file:
        terms = [name for name in csv.DictReader(file).fieldnames or [] if name.startswith("train/")]
    print(f"{metrics} has for each step {', '.join(terms)}")


if __name__ == "__main__":
    main()
