"""A cost of photos of two domains to begin from: change forward, and have it checked, `dlthink check loss=my_cost`."""

from torch import nn


class MyCost(nn.Module):
    """Elicits a translation: made photos have the mean colour and contrast of real ones, and lead back."""

    targets = {"domains"}  # what it fits
    outputs_per_target = 1

    def __init__(self, domains, cycle: float = 5.0):  # domains is given: two names; cycle is a setting, `loss.cycle=10`
        super().__init__()
        self.domains, self.cycle = domains, cycle

    def forward(self, out, y):  # y: real photos of each domain S, [n, 3, s, s] in [-1, 1]; nothing pairs them
        terms = {}
        for name in self.domains:  # out[S]: made of photos of the other domain; out[back_S]: made back again
            made, real = out[name], y[name]
            colour = (made.mean((0, 2, 3)) - real.mean((0, 2, 3))).square().mean()
            contrast = (made.std((0, 2, 3)) - real.std((0, 2, 3))).square().mean()
            terms[f"look_{name}"] = colour + contrast
            terms[f"cycle_{name}"] = self.cycle * (out[f"back_{name}"] - real).abs().mean()
        return terms  # by name, each one number; they are added up

    def predict(self, out):  # the photos, by name, in [-1, 1]
        return out
