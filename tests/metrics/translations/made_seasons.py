"""Photos of two made-up seasons: summer is green ground under blue sky, winter white ground with dark stripes."""

import torch

from dlthink.metrics.translations.kid import kids, summary

DOMAINS = ["summer", "winter"]
OTHER = {"winter": "summer", "summer": "winter"}


def photos(season, n, size=32, seed=0):
    """uint8 [n, 3, s, s]."""
    chance = torch.Generator().manual_seed(seed + (season == "winter") * 1000)
    picture = 110 + 25 * torch.randn(n, 3, size, size, generator=chance)
    picture[:, 2, : size // 2] += 70
    picture += 30 * torch.randn(n, 1, 1, 1, generator=chance)
    if season == "winter":
        picture[:, :, size // 2 :, ::2] += 60
    else:
        picture[:, 1, size // 2 :] += 40
    return picture.clamp(0, 255).round().to(torch.uint8)


def floats(pictures):
    return pictures.float() / 127.5 - 1


def asked(summer, winter, made=None):
    """(read, y, known) of a network that makes `made`, {season: uint8}; None: nothing is changed."""
    n = max(len(summer), len(winter))
    rows = {"summer": torch.arange(n) % len(summer), "winter": torch.arange(n) % len(winter)}
    first = {"summer": torch.arange(n) < len(summer), "winter": torch.arange(n) < len(winter)}
    shown = {"summer": summer[rows["summer"]], "winter": winter[rows["winter"]]}
    untouched = {season: shown[OTHER[season]] for season in shown}
    made = untouched if made is None else {season: made[season][rows[OTHER[season]]] for season in made}
    predicted = {season: floats(made[season]) for season in made}
    predicted |= {f"{word}_{season}": floats(shown[season]) for word in ("back", "same") for season in shown}
    y = {season: floats(pictures) for season, pictures in shown.items()}
    dull = {season: pictures // 2 + 64 for season, pictures in untouched.items()}
    return predicted, y, {"first": first, "baselines": {"untouched": untouched, "color_transfer": dull}}


def kid(fake, real, draws=200, seed=0):
    """The number and its interval."""
    return summary(kids(fake, real, draws, seed))
