"""A deep copy of a module: as copy.deepcopy makes it, whatever the module is made of."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dlthink.training.module_copy import deep_copy


class Tied(nn.Module):
    """Two names for one part, a part that knows the whole, tensors in lists, a hook, chance of its own."""

    def __init__(self):
        super().__init__()
        self.first = self.second = nn.Linear(2, 2)
        self.third = nn.Linear(2, 2)
        self.third.weight = self.first.weight
        self.seen, self.settings, self.steps = [torch.zeros(2)], {"a": {"b": [1]}}, 3
        self.chance = torch.Generator().manual_seed(4)
        self.norm = nn.Sequential(spectral_norm(nn.Linear(2, 2)), nn.BatchNorm1d(2))
        vars(self.norm)["whole"] = self
        self.register_forward_hook(_double)

    def forward(self, x):
        return self.third(self.first(x)) + self.norm(x) + torch.rand(x.shape, generator=self.chance)


def _double(module, inputs, output):
    return 2 * output


class Own(nn.Linear):
    """Says itself what a copy of it is."""

    def __deepcopy__(self, memo):
        return self


class Stored(nn.Linear):
    def __getstate__(self):
        return {**vars(self), "copies": getattr(self, "copies", 0) + 1}


def test_it_answers_alike_and_goes_its_own_way():
    module, x = Tied().eval(), torch.ones(3, 2)
    twin, other = deep_copy(module), copy.deepcopy(module)
    first = other(x)
    assert torch.equal(twin(x), first)
    assert twin.state_dict().keys() == module.state_dict().keys()
    assert twin.first is twin.second is not module.first
    assert twin.third.weight is twin.first.weight is not module.first.weight
    assert twin.norm.whole is twin
    twin.seen[0].add_(1)
    twin.settings["a"]["b"].append(2)
    twin.first.weight.data.zero_()
    twin.train()(x)  # spectral norm and batch norm note what they see
    twin._forward_hooks.clear()
    twin.first.register_buffer("late", torch.ones(1))
    assert module.seen[0].sum() == 0 and module.settings == {"a": {"b": [1]}}
    assert not module.training and not hasattr(module.first, "late")
    assert torch.equal(module(x), first)


def test_tensors_that_are_shared_are_not_copied():
    module = Tied()
    twin = deep_copy(module, shared=module.parameters())
    assert all(a is b for a, b in zip(module.parameters(), twin.parameters(), strict=True))
    assert twin.norm[1].running_mean is not module.norm[1].running_mean


def test_a_part_that_says_how_it_is_copied_is_asked():
    module = nn.ModuleList([Own(1, 1), Stored(1, 1)])
    twin = deep_copy(module)
    assert twin[0] is module[0]
    assert twin[1] is not module[1] and twin[1].copies == 1


def test_what_cannot_be_copied_says_so():
    module = nn.Linear(1, 1)
    module.lines = (line for line in "ab")
    with pytest.raises(TypeError, match="generator"):
        deep_copy(nn.Sequential(module))
