"""A network that moves photos from one domain to another, and back, to begin from: change what a translator is."""

from torch import nn


def translator(colors, width):
    """A photo -> a photo in [-1, 1]."""
    middle = nn.Sequential(nn.Conv2d(colors, width, 5, padding=2), nn.ReLU(), nn.Conv2d(width, colors, 5, padding=2))
    return nn.Sequential(middle, nn.Tanh())


class MyModel(nn.Module):
    """x: photos of both domains by name -> made of the other's, made back again, made of their own."""

    def __init__(self, colors, domains, width: int = 16):  # width: a setting, `model.width=32`
        super().__init__()
        self.other = dict(zip(domains, reversed(domains), strict=True))
        self.make = nn.ModuleDict({name: translator(colors, width) for name in domains})

    def forward(self, x):
        made = {name: self.make[name](x[other]) for name, other in self.other.items() if other in x}
        if len(made) == 1:  # `dlthink predict` has photos of one domain
            return made
        back = {f"back_{name}": self.make[name](made[other]) for name, other in self.other.items()}
        same = {f"same_{name}": self.make[name](x[name]) for name in self.other}
        return made | back | same
