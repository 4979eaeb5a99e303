"""After: the script of avalanche_naive.py with two lines changed, the import and the strategy, prints the same.

    python examples/avalanche_lightning.py

Takes seconds. Below it is Lightning's Trainer now; avalanche_gains.py shows what that is good for.
"""

import torch
from avalanche.benchmarks import nc_benchmark
from avalanche.benchmarks.scenarios import NCScenario
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import SimpleMLP
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, ReplayPlugin
from raincheck.strategy import LightningStrategy
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import TensorDataset


def dataset(pictures: Tensor, labels: Tensor) -> TensorDataset:
    made = TensorDataset(pictures, labels)
    made.targets = labels.tolist()  # by which Avalanche splits it into experiences
    return made


def digits() -> NCScenario:
    pixels, digit = load_digits(return_X_y=True)
    pictures, labels = torch.tensor(pixels, dtype=torch.float32) / 16, torch.tensor(digit)
    test = torch.arange(len(labels)) % 5 == 0
    train = dataset(pictures[~test], labels[~test])
    return nc_benchmark(train, dataset(pictures[test], labels[test]), n_experiences=5, task_labels=False, seed=0)


def main() -> None:
    torch.manual_seed(0)
    benchmark = digits()
    model = SimpleMLP(num_classes=10, input_size=64, hidden_size=128)
    strategy = LightningStrategy(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
        criterion=nn.CrossEntropyLoss(),
        train_mb_size=16,
        train_epochs=4,
        eval_mb_size=64,
        plugins=[EWCPlugin(ewc_lambda=1.0), ReplayPlugin(mem_size=100)],
        evaluator=EvaluationPlugin(accuracy_metrics(stream=True, experience=True), loggers=[]),
    )
    for experience in benchmark.train_stream:
        strategy.train(experience)
        strategy.eval(benchmark.test_stream)
        accuracies = strategy.evaluator.get_last_metrics()
        print(f"after the digits {sorted(experience.classes_in_this_experience)}")
        print("\n".join(f"    {name}: {value}" for name, value in accuracies.items()))


if __name__ == "__main__":
    main()
