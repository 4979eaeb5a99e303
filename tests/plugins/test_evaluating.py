"""A model that is looked at is left as it was."""

from torch import nn

from raincheck.plugins.evaluating import evaluating


def test_every_part_is_in_evaluation_mode_and_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout())
    model[0].eval()  # frozen statistics
    with evaluating(model):
        assert not any(part.training for part in model.modules())
    assert [part.training for part in model.modules()] == [True, False, True]
