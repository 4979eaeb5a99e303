"""Gradients between backward pass and step, and whose they are, where Lightning and Avalanche differ."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from raincheck.errors import ConfigError

Seen = list[tuple[torch.Tensor | None, int | None]]  # a gradient and its version, by parameter


def gradients(model: nn.Module) -> Seen:
    """What `refuse_change` compares."""
    return [(p.grad, None if p.grad is None else p.grad._version) for p in model.parameters()]


def refuse_change(model: nn.Module, before: Seen | None) -> None:
    """Raises ConfigError if a plugin worked on gradients that are still being accumulated.

    Args:
        model: as it is now.
        before: its gradients as they should be; None if nothing is accumulated.
    """
    pairs = [] if before is None else zip(before, gradients(model), strict=True)
    if any(old is not new or version != now for (old, version), (new, now) in pairs):
        raise ConfigError(
            "a plugin changes the gradients of single batches, which accumulate_grad_batches adds up; "
            "leave accumulate_grad_batches at 1, or leave out the plugin"
        )


def multiply(model: nn.Module, factor: float) -> None:
    """Multiplies all gradients in place."""
    if factor != 1:
        torch._foreach_mul_([p.grad for p in model.parameters() if p.grad is not None], factor)


@contextmanager
def unscaled(model: nn.Module, scale: float) -> Iterator[None]:
    """Takes the factor that fp16's scaler put on the loss off the gradients, for a while."""
    multiply(model, 1 / scale)
    yield
    multiply(model, scale)


@contextmanager
def gradient_first(optimizer: Optimizer, update: Callable[[], Any]) -> Iterator[None]:
    """Puts a closure and then `update` in place of an optimizer's next `step`, as Avalanche calls backward before it.

    Else hooks before a step would not see its gradient, optimizers that know of no closure could not be used, nor could
    a strategy's own step, or an optimizer that a plugin has put in place while the gradient was computed.
    """
    own = vars(optimizer).get("step")

    def plain() -> None:
        if vars(optimizer).get("step") is step:  # and not what a plugin has put in its place meanwhile
            del vars(optimizer)["step"]
            vars(optimizer).update({"step": own} if own else {})

    def step(closure: Callable[[], Any] | None = None) -> Any:
        plain()
        result = closure() if closure else None
        update()
        return result

    vars(optimizer)["step"] = step
    try:
        yield
    finally:
        plain()


@contextmanager
def hidden(model: nn.Module, names: set[str]) -> Iterator[None]:
    """Keeps some of a model's parameters from whoever asks it for all."""
    named = model.named_parameters
    vars(model)["named_parameters"] = lambda *how, **named_how: (
        pair for pair in named(*how, **named_how) if pair[0] not in names
    )
    try:
        yield
    finally:
        del vars(model)["named_parameters"]
