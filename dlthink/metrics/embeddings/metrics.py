"""The examination of photos in a space where the same person is near: unseen people, every number per person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.false_accept_rate import allowed
from dlthink.metrics.embeddings.bootstrap import Resampled, interval, people_drawn, share
from dlthink.metrics.embeddings.pair_distances import GRID, Pairs
from dlthink.metrics.embeddings.retrieval import nearest, one_shot
from dlthink.metrics.embeddings.verification import Rates, right_answers
from dlthink.metrics.per_item import by_item
from dlthink.metrics.prediction_shapes import misfit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FARS = {"1e-3": 1e-3, "1e-2": 1e-2}
SHOWN = 1000  # photos in TensorBoard's projector
POINT, LINE = 0.95, 1.2  # mean cosine above which, effective rank below which an embedding has collapsed
REVERSED = 0.4  # AUC below which it is worse than chance
UNIT = 1e-2  # how far from 1 the length of an embedding may be
ENOUGH = 3  # people, below which half of the draws have nobody to tell apart
FEWEST = 10  # photos, or pairs, below which nothing is remarked
MOST = 4000  # photos whose distances are all held at once: 64 MB, and as much again for the pairs


class Embeddings:
    """Numbers and figures for embeddings of photos and who is on them; d = |a - b|^2 throughout, in [0, 4].

    pairs  of photo numbers, (i, j, whether one person), such as those of LFW's View 2; those with both photos in the
           split make the lfw_ numbers, left out where there are none
    draws  of a gallery, for one_shot_accuracy
    validation_pairs  of two people in validation; where a false accept rate of 1e-2 is less than ten of them, the AUC
           picks the best checkpoint instead

    predicted  {"embedding"}: [n, width] unit vectors; "threshold" and "accuracy_threshold" where the cost fitted them
    y      [n] identities
    known  {"photo"}: [n] number in the data set; {"baselines": {NAME: read}}: their numbers end in _NAME;
           {"picture"}: uint8 [n, c, s, s], to be shown in figures

    recall_at_1, recall_at_5, map_at_r   of photos with a partner among all others: `retrieval.nearest`
    one_shot_accuracy       one photo of each person as the gallery: `retrieval.one_shot`
    auc, eer                over all pairs: `verification.Rates`
    val_at_far_1e-3, _1e-2  share of pairs of one person accepted when that share of pairs of two people is, too
    val_at_threshold, far_at_threshold   at read["threshold"], which was chosen on validation people
    lfw_accuracy, lfw_auc   of the given pairs. The threshold comes from other people: read["accuracy_threshold"],
                            fitted for most right answers on validation pairs, else read["threshold"]. A read without
                            either (a baseline) gets the best one of the other nine tenths of these pairs.
    effective_rank          exp(entropy of s / sum s), s: the singular values of the embedding; 1: all on a line
                            Source: Roy & Vetterli 2007, EUSIPCO.
    mean_cosine             between different photos; 1: all in one place

    NAME_low, NAME_high: 95 % of 200 draws of *people* with replacement, seeded. Neighbours and galleries stay those of
    all people, since a gallery with fewer people would be an easier one.
    Equal distances count against, in the AUC by half. What the photos do not define (no two photos of anybody, one
    person, a FAR finer than one pair) is nan; so is everything when an embedding is not finite. Of more than 4,000
    photos, a seeded choice of people with that many stands for all, but for the lfw_ numbers.
    """

    best = ("val_at_far_1e-2", "max")
    scores = {
        **{f"val_at_far_{far}": "max" for far in ("1e-2", "1e-3")},
        **dict.fromkeys(("one_shot_accuracy", "recall_at_1", "map_at_r", "auc", "lfw_accuracy", "lfw_auc"), "max"),
        "eer": "min",
    }
    directions = {"recall_at_5": "max", "val_at_threshold": "max", "far_at_threshold": "min"}
    glossary = {
        "recall_at_1": "share of samples whose nearest other one is of the same identity",
        "recall_at_5": "share of samples with one of the same identity among the 5 nearest",
        "map_at_r": "mean average precision at R, the number of others of the same identity",
        "auc": "chance that two of one identity are nearer than two of different ones",
        "eer": "equal error rate: share of true pairs refused where as large a share of false ones is accepted",
        "val_at_far_1e-2": "share of true pairs accepted at the threshold where 1 % of false ones are",
        "val_at_far_1e-3": "share of true pairs accepted at the threshold where 0.1 % of false ones are",
        "val_at_threshold": "share of true pairs accepted at the threshold that validation chose",
        "far_at_threshold": "share of false pairs accepted at the threshold that validation chose",
        "one_shot_accuracy": "share of samples recognized by one random sample of each identity",
        "lfw_accuracy": "share of right answers on the pairs of the View 2 fold",
        "lfw_auc": "the auc of these pairs",
        "effective_rank": "how many dimensions the embedding uses: 1 is collapsed",
        "mean_cosine": "between different samples: 1 is collapsed",
        "threshold_at_far_1e-2": "the squared distance up to which 1 % of false pairs are accepted",
        "val": "share of true pairs within the group that are accepted where 1 % of all false ones are",
        "far": "share of false pairs within the group that are accepted there",
        "val_ratio": "of the largest to the smallest of all groups",
        "far_ratio": "of the largest to the smallest of all groups",
        "val_masked": "share of true pairs accepted where one of the two wears a mask",
        "far_masked": "share of false pairs accepted where one of the two wears a mask",
        "dodging": "share of attacks by so many grey levels that hide who it is",
        "impersonation": "share of attacks by so many grey levels that pass for somebody else",
    }
    needs = ("embedding",)

    def __init__(self, pairs: list | None = None, draws: int = 100, validation_pairs: int | None = None):
        self.pairs = np.array(pairs or [], np.int64).reshape(-1, 3)
        self.draws, self.few = draws, None
        if validation_pairs is not None and allowed(FARS["1e-2"], validation_pairs) < FEWEST:
            self.best, self.few = ("auc", "max"), validation_pairs

    def numbers(self, predicted: dict, y: Tensor, known: dict) -> dict[str, float]:
        numbers = self._of(predicted, y, known, intervals=True)
        for name, other in known.get("baselines", {}).items():
            made = self._of(other, y, known, intervals=False)
            numbers |= {f"{k}_{name}": value for k, value in made.items() if not math.isnan(value)}
        return numbers

    def item_scores(self, predicted: dict, y: Tensor, known: dict) -> dict[str, np.ndarray]:
        """recall_at_1 and map_at_r of each person with several photos; a person counts as often as they have photos."""
        embedding = predicted["embedding"].detach().cpu().flatten(1)
        if not bool(embedding.isfinite().all()):
            return {}
        pairs = Pairs(embedding, y, most=MOST)
        probes = nearest(pairs)
        person = y.detach().cpu()[pairs.rows[pairs.start]][probes["person"]]
        scores = {name: torch.from_numpy(probes[name]) for name in ("recall_at_1", "map_at_r")}
        return by_item(scores, person, person) if len(person) else {}

    def misfit(self, predicted: dict, y: Tensor) -> str | None:
        """One line where a cost's reading has the wrong shape or is no number."""
        wrong = misfit(predicted, {"embedding": (len(y), None), "threshold": (), "accuracy_threshold": ()}, self.needs)
        if wrong is not None:
            return wrong
        length = predicted["embedding"].norm(dim=1)
        if not bool(length.any()):
            return "the network begins with the same answer for all, 0, which points nowhere: choose model=mlp, say"
        if not bool(((length - 1).abs() < UNIT).all()):
            return "embedding must be unit vectors: torch.nn.functional.normalize(out)"
        return None

    def fit_on_validation(self, predicted: dict, y: Tensor) -> dict[str, float]:
        """The thresholds of validation people, where the cost chose none: by a false accept rate of 1e-3, and by the
        fewest mistakes. Nothing where the photos do not define them."""
        if "threshold" in predicted or not bool(predicted["embedding"].isfinite().all()):
            return {}
        pairs = Pairs(predicted["embedding"].detach().cpu().flatten(1), y, most=MOST)
        rates = Rates(pairs.same, pairs.different)
        if not rates.defined:
            return {}
        return {"threshold": rates.threshold(FARS["1e-3"]), "accuracy_threshold": rates.most_accurate()}

    def remarks(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        """A line where all photos lie in one place or on one line, or people lie farther from themselves than from
        others."""
        embedding = predicted["embedding"].detach().cpu().flatten(1)
        if len(embedding) < FEWEST or not bool(embedding.isfinite().all()):
            return []
        cosine, rank = mean_cosine(embedding), effective_rank(embedding)
        if cosine > POINT or rank < LINE:
            place = "a point" if cosine > POINT else "a line"
            return [
                f"the embedding has collapsed to {place} (mean cosine {cosine:.3g}, effective rank {rank:.3g}); "
                f"the cost must also push people apart, and not too hard at first: try loss=triplet"
            ]
        pairs = Pairs(embedding, y, most=MOST)
        rates = Rates(pairs.same, pairs.different)
        if rates.defined and len(rates.same) >= FEWEST and rates.auc < REVERSED:
            return [
                f"far worse than a guess: photos of one person lie farther apart than photos of two "
                f"(AUC {rates.auc:.3g}); has the cost the wrong sign?"
            ]
        return []

    def suggestions(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        """Where validation is so small that another number picks the best checkpoint; where a baseline is as good, or
        people are too few for an interval."""
        aucs = {name: _auc(read, y) for name, read in known.get("baselines", {}).items()}
        best, mine = max(aucs, key=aucs.__getitem__, default=""), _auc(predicted, y)
        lines = []
        if best and aucs[best] >= mine:
            lines.append(
                f"no better than {best}, which nobody trained (AUC {mine:.3g}, {best} {aucs[best]:.3g}); give more "
                f"people or more of each, or train longer"
            )
        if self.few is not None:
            lines.append(
                f"validation has {self.few:,} pairs of two people, too few for a false accept rate of 1e-2: auc picked "
                f"the best weights; give more people, or a larger data.validation"
            )
        people = int(y.unique().numel())
        if 1 < people < ENOUGH and not math.isnan(mine):
            lines.append(
                f"shows {people} people, too few to draw from for an interval, and few for any number; give more people"
            )
        return lines

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        """distances: same and different people; roc; with pictures also mistakes, the worst pairs, and neighbours."""
        from dlthink.metrics.embeddings import figures as draw  # here, since matplotlib takes its time to load

        finite = predicted["embedding"].detach().flatten(1).isfinite().all(1).cpu()
        pairs = Pairs(predicted["embedding"][finite], y[finite], most=MOST)
        rates = {"this network": Rates(pairs.same, pairs.different)}
        for name, other in known.get("baselines", {}).items():
            other = Pairs(other["embedding"][finite], y[finite], most=MOST)
            rates[name] = Rates(other.same, other.different)
        threshold = float(predicted.get("threshold", math.nan))
        made = {"distances": draw.distances(rates["this network"], threshold), "roc": draw.roc(rates)}
        if "picture" in known and len(pairs):
            from dlthink.metrics.embeddings import photo_figures

            picture = known["picture"].detach().cpu()[finite].numpy()[pairs.rows]
            made["mistakes"] = photo_figures.mistakes(pairs, picture)
            made["neighbours"] = photo_figures.neighbours(pairs, picture)
        return made

    def projection(self, predicted: dict, y: Tensor, known: dict) -> tuple[Tensor, list[str], Tensor | None]:
        """For TensorBoard's projector: at most 1,000 embeddings, evenly spread, whose each is, and the photos."""
        n = len(y)
        some = torch.arange(n) if n <= SHOWN else torch.linspace(0, n - 1, SHOWN).long()
        names = [f"person {number}" for number in y.cpu()[some].tolist()]
        return predicted["embedding"].cpu()[some], names, known["picture"].cpu()[some] if "picture" in known else None

    def audit(self, answer, split, batches: list[Tensor]) -> tuple[dict[str, float], dict[str, Figure]]:
        """What one number over all people hides: groups, masks, and photos changed on purpose (`audit`).

        answer(x) is the cost's reading of the network's answer, differentiable in x, in evaluation mode.
        """
        from dlthink.metrics.embeddings.audit import audited

        return audited(answer, split, batches)

    def _of(self, predicted: dict, y: Tensor, known: dict, intervals: bool) -> dict[str, float]:
        embedding = predicted["embedding"].detach().cpu().flatten(1)
        finite = bool(embedding.isfinite().all())
        # zeros in place of what is lost, so that every number has its name; all of them are nan in the end
        embedding = embedding if finite else torch.zeros_like(embedding)
        pairs = Pairs(embedding, y, most=MOST)
        rates = Rates(pairs.same, pairs.different)
        drawn = people_drawn(pairs.people) if intervals else None

        probes = nearest(pairs)
        hits, asked = (np.bincount(probes["person"], w, pairs.people) for w in (probes["recall_at_1"], None))
        numbers = _share("recall_at_1", hits, asked, drawn, rates.defined)
        for name in ("recall_at_5", "map_at_r"):
            numbers[name] = float(probes[name].mean()) if rates.defined else math.nan
        right, shots = one_shot(pairs, self.draws if rates.defined else 0)
        numbers |= _share("one_shot_accuracy", right, shots, drawn, rates.defined)
        numbers |= {"auc": rates.auc, "eer": rates.eer}
        numbers |= {f"val_at_far_{name}": rates.val_at(far) for name, far in FARS.items()}
        if intervals:
            numbers |= _rates_drawn(pairs, rates, drawn)
        if "threshold" in predicted:
            far, val = rates.at(float(predicted["threshold"]))
            numbers |= {"val_at_threshold": val, "far_at_threshold": far}
        numbers |= self._given(predicted, embedding, y, known, intervals)
        numbers |= {"effective_rank": effective_rank(embedding), "mean_cosine": mean_cosine(embedding)}
        return numbers if finite else dict.fromkeys(numbers, math.nan)

    def _given(self, predicted: dict, embedding: Tensor, y: Tensor, known: dict, intervals: bool) -> dict[str, float]:
        """lfw_accuracy and lfw_auc."""
        place: dict[int, int] = {}
        for row, photo in enumerate(known["photo"].tolist() if len(self.pairs) and "photo" in known else []):
            place.setdefault(photo, row)
        here = [(place[i], place[j], same) for i, j, same in self.pairs.tolist() if i in place and j in place]
        if not here:
            return {}
        i, j, same = np.array(here).T
        points = embedding.double().numpy()
        d = (np.rint(((points[i] - points[j]) ** 2).sum(1) * GRID) / GRID).astype(np.float32)
        same = same > 0
        threshold = predicted.get("accuracy_threshold", predicted.get("threshold"))
        right = right_answers(d, same, None if threshold is None else float(threshold))
        if threshold is not None and math.isnan(threshold):  # a cost that has settled nothing yet
            right = np.full(len(d), math.nan)
        made = {"lfw_accuracy": float(right.mean()), "lfw_auc": Rates(d[same], d[~same]).auc}
        if intervals:
            people, person = np.unique(y.cpu().numpy(), return_inverse=True)
            weight = people_drawn(len(people))
            weight = weight[:, person[i]] * np.where(same, 1.0, weight[:, person[j]])
            ends = interval(share(right, np.ones(len(right)), weight))
            made["lfw_accuracy_low"], made["lfw_accuracy_high"] = ends
        return made


def _auc(read: dict, y: Tensor) -> float:
    """nan of what is not finite or too little to tell."""
    embedding = read["embedding"].detach().cpu().flatten(1)
    if not bool(embedding.isfinite().all()):
        return math.nan
    pairs = Pairs(embedding, y, most=MOST)
    return Rates(pairs.same, pairs.different).auc if min(len(pairs.same), len(pairs.different)) >= FEWEST else math.nan


def effective_rank(embedding: Tensor) -> float:
    """exp(-sum p log p), p = s / sum s, s: the singular values of the embedding, not centred."""
    e = embedding.cpu().flatten(1).double()
    if not e.numel():
        return math.nan
    gram = e.T @ e if e.shape[1] <= e.shape[0] else e @ e.T
    s = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    s = s[s > 1e-6 * s.max()]  # below it, rounding errors of the products
    p = s / s.sum()
    return float(torch.exp(-(p * p.log()).sum())) if len(s) else math.nan


def mean_cosine(embedding: Tensor) -> float:
    """(|sum of e_i|^2 - n) / (n (n - 1)), e_i the unit vectors."""
    e = torch.nn.functional.normalize(embedding.cpu().flatten(1).double(), dim=1)
    n = len(e)
    return float((e.sum(0) @ e.sum(0) - (e**2).sum()) / (n * (n - 1))) if n > 1 else math.nan


def _share(name: str, right: np.ndarray, asked: np.ndarray, drawn: np.ndarray | None, defined: bool) -> dict:
    """A share of right answers, and its interval when people are drawn."""
    made = {name: float(right.sum() / asked.sum()) if defined else math.nan}
    if drawn is not None:
        ends = interval(share(right, asked, drawn)) if defined else (math.nan, math.nan)
        made[f"{name}_low"], made[f"{name}_high"] = ends
    return made


def _rates_drawn(pairs: Pairs, rates: Rates, drawn: np.ndarray) -> dict[str, float]:
    auc, val = [], []
    if rates.defined:
        resampled = Resampled(pairs)
        shift = rates.auc - resampled.auc(np.ones(pairs.people))  # a sample of the far pairs stands for all
        auc = [shift + resampled.auc(weight) for weight in drawn]
        val = [resampled.val_at(1e-2, weight) for weight in drawn]
    made = {}
    for name, values in (("auc", auc), ("val_at_far_1e-2", val)):
        made[f"{name}_low"], made[f"{name}_high"] = interval(np.array(values))
    return made
