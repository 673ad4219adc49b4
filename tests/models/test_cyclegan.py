"""`dlthink.models.cyclegan`: what it answers, in every memory layout, at every size."""

import math

import pytest
import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.models.cyclegan import Block, CycleGAN, Norm, Resize

SEASONS = ("summer", "winter")


def network(**knobs):
    torch.manual_seed(0)
    return CycleGAN(colors=3, domains=SEASONS, n_out=3, **{"width": 4, "blocks": 2} | knobs)


def photos(n=2, size=32, **kind):
    g = torch.Generator().manual_seed(1)
    return {season: torch.rand(n, 3, size, size, generator=g).to(**kind) * 2 - 1 for season in SEASONS}


def test_every_answer_is_the_generator_of_its_season():
    model, x = network().double(), photos(dtype=torch.float64)
    out, to = model(x), model.make
    assert set(out) == {*SEASONS, *(f"{kind}_{s}" for kind in ("back", "same") for s in SEASONS)}
    expected = {
        "winter": to["winter"](x["summer"]),
        "back_summer": to["summer"](to["winter"](x["summer"])),
        "same_winter": to["winter"](x["winter"]),
        "summer": to["summer"](x["winter"]),
        "back_winter": to["winter"](to["summer"](x["winter"])),
        "same_summer": to["summer"](x["summer"]),
    }
    for name, picture in expected.items():
        assert torch.allclose(out[name], picture, atol=1e-12), name
        assert picture.shape == (2, 3, 32, 32) and picture.abs().max() < 1


def test_one_season_alone_is_translated():
    model, x = network(), photos()
    both = model(x)
    assert list(model({"summer": x["summer"]})) == ["winter"]
    assert torch.allclose(model({"winter": x["winter"]})["summer"], both["summer"], atol=1e-6)


def test_a_cost_without_identity_saves_two_passes():
    model, x = network(same=False), photos()
    assert set(model(x)) == {*SEASONS, "back_summer", "back_winter"}
    assert len(model.eval()(x)) == 6, "examined all the same"


@pytest.mark.parametrize("upsample", ["transpose", "resize"])
@pytest.mark.parametrize("size", [(32, 32), (36, 52), (64, 128)])
def test_any_multiple_of_four_keeps_its_size(upsample, size):
    x = torch.rand(1, 3, *size)
    assert network(upsample=upsample)({"summer": x})["winter"].shape == x.shape


def test_an_untrained_checkerboard():
    """A flat feature map grows into a flat picture by resizing, into squares by transposed convolutions."""
    flat = torch.ones(1, 16, 8, 8)
    spread = {}
    for upsample in ("transpose", "resize"):
        grown = network(upsample=upsample).make["winter"].decode[0][0](flat)[..., 2:-2, 2:-2]
        spread[upsample] = grown.std((2, 3)).mean().item()
    assert spread["resize"] < 1e-6 < 1e-3 < spread["transpose"]


def test_forgetting_what_lies_within_blocks_changes_no_gradient():
    x, gradients = photos(1), []
    for forget in (False, True):
        model = network(checkpoint=forget, skip=False)
        sum(picture.square().sum() for picture in model(x).values()).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_forgetting_keeps_less():
    kept = {}
    for forget in (False, True):
        model, sizes = network(checkpoint=forget, blocks=9), []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, s=sizes: (s.append(t.numel()), t)[1], lambda t: t):
            model({"summer": torch.rand(1, 3, 32, 32)})
        kept[forget] = sum(sizes)
    assert kept[True] < 0.7 * kept[False]


def test_the_norm_is_instance_normalization():
    x = torch.randn(2, 5, 7, 9, dtype=torch.float64) * 3 + 1
    assert torch.allclose(Norm(5)(x), nn.InstanceNorm2d(5)(x), atol=1e-12)
    assert not list(Norm(5).parameters())


@pytest.mark.parametrize("n", [1, 2])
def test_gradients_do_not_depend_on_how_memory_lies(n):
    """torch's own instance norm fails this on a CPU for n = 1."""
    block, x = Block(6).double(), torch.randn(n, 6, 8, 8, dtype=torch.float64)
    weights = torch.randn_like(x)
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        block.zero_grad()
        given = x.clone(memory_format=layout).requires_grad_()
        out = block(given)
        out.backward(weights.clone(memory_format=layout))
        found.append([given.grad, *(p.grad.clone() for p in block.parameters())])
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, atol=1e-10)


def test_it_begins_with_the_photo_as_it_is():
    x = photos()
    out = network()(x)
    assert torch.equal(out["winter"], x["summer"]) and torch.equal(out["back_winter"], x["winter"])
    assert not torch.allclose(network(skip=False)(x)["winter"], x["summer"], atol=0.1)


def test_what_goes_into_a_smaller_layer_is_added_where_it_grows_again():
    make, x = network().make["winter"].double(), photos(dtype=torch.float64)["summer"]
    nn.init.normal_(make.paint[0].weight)
    make.decode[0][0].conv.weight.data.zero_()  # nothing comes up from below
    fine = make.encode[0](x)
    t = make.paint(make.decode[1](make.encode[1](fine)) + fine)
    assert torch.allclose(make(x), (1 - t.abs()) * x + t, atol=1e-12)
    make.skip = False
    assert (make(x) - make(x).mean((2, 3), keepdim=True)).abs().max() < 1e-12, "as in the paper: all is lost"


def test_a_photo_can_become_anything():
    """Black can become white and white black, and what is made stays within bounds."""
    make = network().make["winter"].double()
    for tone, wanted in ((-1.0, 1), (1.0, -1), (0.3, 1), (0.3, -1)):
        make.paint[0].bias.data.fill_(20.0 * wanted)
        made = make(torch.full((1, 3, 8, 8), tone, dtype=torch.float64))
        assert torch.allclose(made, torch.tensor(float(wanted), dtype=torch.float64), atol=1e-9)
    make.paint[0].bias.data.fill_(0.5)
    t = math.tanh(0.5)
    made = make(torch.full((1, 3, 8, 8), 0.3, dtype=torch.float64))
    assert torch.allclose(made, torch.tensor((1 - t) * 0.3 + t, dtype=torch.float64))


def test_first_weights_are_the_papers():
    weights = torch.cat([p.flatten() for p in network(width=16, skip=False).parameters() if p.ndim == 4])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("knobs", [{"width": 0}, {"blocks": 0}])
def test_refused_in_one_line(knobs):
    with pytest.raises(BadInput, match=r"model\."):
        network(**knobs)


def test_a_part_of_a_photo_takes_the_norms_of_all_of_it():
    model = network(skip=False).double()
    g = torch.Generator().manual_seed(2)
    sky = 0.5 + 1e-3 * torch.randn(1, 3, 32, 32, generator=g).double()
    photo = torch.rand(1, 3, 32, 32, generator=g).double() * 2 - 1
    alone, beside = model({"summer": sky})["winter"], model({"summer": sky, "whole": photo})["winter"]
    assert beside.std((2, 3)).max() < alone.std((2, 3)).min() / 20, "clear sky stays clear"
    assert torch.allclose(model({"summer": photo, "whole": photo})["winter"], model({"summer": photo})["winter"])
    assert torch.equal(model({"summer": sky})["winter"], alone), "and it is forgotten afterwards"


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (16, 12)])
def test_without_a_gradient_resizing_makes_the_same(size):
    grow = Resize(6, 4).double()
    x = torch.randn(2, 6, *size, dtype=torch.float64)
    made = grow(x)
    with torch.no_grad():
        other = grow(x)
    assert made.requires_grad and torch.allclose(made, other, atol=1e-12)


def test_parts_are_made_one_by_one_and_the_whole_is_asked_once():
    model = network(skip=False).double()
    parts, photo = (torch.rand(n, 3, 32, 32).double() * 2 - 1 for n in (3, 1))
    together = model({"summer": parts, "whole": photo[..., :24]})["winter"]
    for part, made in zip(parts.split(1), together.split(1), strict=True):
        assert torch.allclose(model({"summer": part, "whole": photo[..., :24]})["winter"], made, atol=1e-12)
    asked, seen = model.make["winter"].encode[0], []
    asked.register_forward_hook(lambda module, given, out: seen.append(tuple(given[0].shape)))
    model({"summer": parts, "whole": photo[..., :24]})
    assert seen == [(1, 3, 32, 24)] + [(1, 3, 32, 32)] * 3


def test_norms_look_at_the_whole_alone_and_not_at_its_parts(monkeypatch):
    """A look at each part, too, changes nothing, and was a third of the time."""
    model, looks = network().double(), []
    lend = Norm.lend
    monkeypatch.setattr(Norm, "lend", lambda norm, given: (looks.append(given[0]), lend(norm, given))[1])
    parts, photo = (1e3 + torch.randn(n, 3, 32, 32).double() for n in (3, 1))
    model({"summer": parts, "whole": photo})
    assert len(looks) == sum(isinstance(module, Norm) for module in model.make["winter"].modules())
    var, mean = torch.var_mean(photo.float(), (0, 2, 3), correction=0)
    norm = Norm(3)
    norm.lend((photo.float(),))
    assert torch.allclose(norm.lent[0], mean) and torch.allclose(norm.lent[1], var, rtol=1e-3)
