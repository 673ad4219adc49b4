"""There and back again, without a discriminator: the ablation of CycleGAN."""

from __future__ import annotations

from dlthink.losses.translations._translation import Translation


class Cycle(Translation):
    """Sum over both domains S of cycle mean |back_S - y_S| + cycle identity mean |same_S - y_S|.

    Elicits a way back alone.

    A network that changes nothing costs nothing: see why CycleGAN needs its discriminators.

    Source: Zhu, Park, Isola & Efros 2017, ICCV, equation 2 and the ablation of section 5.1.2.
    """
