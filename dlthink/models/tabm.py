"""TabM: many multilayer perceptrons for tables in one, which share most of their weights."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.models._row import with_offset


class TabM(nn.Module):
    """out[:, m] = W_m h_m,  h_m: perceptron m of an ensemble whose layers are s_m * (W (r_m * h)) + b_m, W shared.

    x: {"numbers": [n, n_in], "categories": [n, q] codes}; out: [n, members, n_out], as of an ensemble.

    members    perceptrons; width, depth, dropout: units of each hidden layer, layers, share silenced in training
    embedding  what a number becomes first: piecewise, linear between `quantiles` of training (its bins, [n_in, edges]);
               periodic, sines and cosines of learned frequencies; none, itself
    embedded   into how many numbers

    Categories are one-hot; code 0, what training does not know, weighs nothing at first. Needs the packages tabm and
    rtdl-num-embeddings. Raises BadInput. Source: Gorishniy, Kotelnikov & Babenko 2025, ICLR (TabM); Gorishniy, Rubachev
    & Babenko 2022, NeurIPS (embeddings).
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        category_sizes: Sequence[int],
        quantiles: Tensor,
        n_targets: int = 1,
        members: int = 16,
        width: int = 128,
        depth: int = 2,
        dropout: float = 0.1,
        embedding: Literal["piecewise", "periodic", "none"] = "piecewise",
        embedded: int = 16,
    ) -> None:
        super().__init__()
        if min(members, width, depth, embedded) < 1 or not 0 <= dropout < 1:
            raise BadInput(f"model=tabm {members=} {width=} {depth=} {embedded=} {dropout=}: from 1; 0 <= dropout < 1")
        try:
            import tabm
        except ImportError as error:
            raise BadInput(
                "model=tabm needs the packages tabm and rtdl-num-embeddings: pip install 'dlthink[table]'; or model=mlp"
            ) from error
        self.n_targets = n_targets
        numbers = _embedding(embedding, quantiles, embedded) if n_in else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a column of two values has one bin, as it should
            self.network = tabm.TabM.make(
                n_num_features=n_in,
                cat_cardinalities=list(category_sizes) or None,
                num_embeddings=numbers,
                d_out=None,
                k=members,
                d_block=width,
                n_blocks=depth,
                dropout=dropout,
            )
        self.readout = tabm.LinearEnsemble(width, n_out, k=members)
        first = self.network.backbone.blocks[0][0].weight
        places = accumulate([0, *category_sizes], initial=first.shape[1] - sum(category_sizes))
        for place in list(places)[1:-1]:
            first.data[:, place] = 0.0

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        numbers, categories = x["numbers"], x["categories"]
        hidden = self.network(numbers if numbers.shape[1] else None, categories.long() if categories.shape[1] else None)
        return with_offset(self.readout(hidden), x, self.n_targets)


def _embedding(kind: str, quantiles: Tensor, width: int) -> nn.Module | None:
    import rtdl_num_embeddings as embeddings

    if kind == "none":
        return None
    if kind == "periodic":
        return embeddings.PeriodicEmbeddings(len(quantiles), width, lite=False)
    bins = [edges.unique() for edges in quantiles.cpu()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return embeddings.PiecewiseLinearEmbeddings(bins, width, activation=False, version="B")
