"""PK sampler: batches of P people with K photos each; an epoch shows every photo that has a partner."""

from __future__ import annotations

from bisect import bisect_left

import torch
from torch import Tensor

from dlthink.errors import BadInput


class PKSampler:
    """How photos y [n] (the person of each) become batches of P people x K photos.

    people  P; None: as many as the trainer's batch holds, batch // photos, or all where there are fewer
    photos  K; somebody with fewer gives each of theirs more than once
    names   the settings of P and K, for messages
    called  what P and K count, where these are no people and photos
    source  the file and the column that say who is who, for messages

    A person with m photos comes ceil(m / K) times an epoch, at most once a batch, with photos that differ where m >= K;
    places left over go to people drawn at random. Somebody with one photo has no pair and is left out.
    """

    def __init__(
        self,
        y: Tensor,
        people: int | None,
        photos: int,
        names: tuple[str, str] = ("people", "photos"),
        called: tuple[str, str] = ("people", "photos"),
        source: str = "",
    ) -> None:
        self.people, self.photos, self.names, self.called, self.source = people, photos, names, called, source
        who, counts = y.unique(return_counts=True)
        self.paired = who[counts > 1]
        self.size = counts[counts > 1]
        order = y.argsort(stable=True)
        self.rows = order[torch.isin(y[order], self.paired)]  # person after person
        self.first = self.size.cumsum(0) - self.size

    def check(self, people: int | None = None) -> None:
        """BadInput when P or K is more than there is."""
        most = int(self.size.max()) if len(self.size) else 0
        (P, K), (those, samples) = (f"data.{name}" for name in self.names), self.called
        if self.photos < 2:
            raise BadInput(f"{K}={self.photos}: a pair needs 2 {samples} of one of the {those}, so 2 or more")
        if len(self.paired) < 2:
            have = f"{'one' if len(self.paired) else 'none'} of the {those} in training has two {samples}"
            raise BadInput(
                f"{self.source and f'{self.source}: '}{have}: telling them apart needs two with two {samples} each: "
                f"give more"
            )
        if self.photos > most:
            raise BadInput(
                f"{K}={self.photos}: none of the {those} in training has so many {samples}, the most is {most}: "
                f"give {K}={max(most, 2)} or less"
            )
        people = self.people if people is None else people
        asked = f"{P}={people}{'' if self.people else f' (trainer.batch // {K})'}"
        if people is not None and people < 2:
            raise BadInput(
                f"{asked}: telling {those} apart needs 2 or more: give {P}, or a trainer.batch of at least 2 x {K}"
            )
        if people is not None and people > len(self.paired):
            raise BadInput(
                f"{asked}: only {len(self.paired)} {those} in training have two {samples} or more: "
                f"give {P}={len(self.paired)} or less"
            )

    def epoch(self, batch: int, generator: torch.Generator) -> list[Tensor]:
        """Index tensors [P * K], person after person within a batch; their number is the same in every epoch."""
        K = self.photos
        P = self.people or min(batch // K, max(len(self.paired), 2))
        self.check(P)
        times = (self.size + K - 1) // K
        batches = max(-(-int(times.sum()) // P), int(times.max()))
        times = times + self._extra(times, batches, P, generator)
        # photos: a shuffled circle for each person, cut into groups of K
        owner = torch.repeat_interleave(self.size)
        shuffled = self.rows[(owner + torch.rand(len(owner), generator=generator, dtype=torch.float64)).argsort()]
        # groups: person after person in random order, dealt to the batches in turn, so no batch gets somebody twice
        turn = torch.randperm(len(times), generator=generator)
        person = torch.repeat_interleave(turn, times[turn])
        before = torch.repeat_interleave(times[turn].cumsum(0) - times[turn], times[turn])
        place = ((torch.arange(len(person)) - before)[:, None] * K + torch.arange(K)) % self.size[person, None]
        groups = shuffled[self.first[person, None] + place]
        dealt = groups.view(P, batches, K).transpose(0, 1).reshape(batches, P * K)
        return list(dealt[torch.randperm(batches, generator=generator)])

    def _extra(self, times: Tensor, batches: int, P: int, generator: torch.Generator) -> Tensor:
        """How often people come once more, so that all batches are full; nobody oftener than there are batches."""
        wanted, free = P * batches - int(times.sum()), batches - times
        rounds = bisect_left(range(batches), wanted, key=lambda most: int(free.clamp(max=most).sum()))
        free = free.clamp(max=rounds)  # beyond these nobody is asked
        owner = torch.repeat_interleave(free)
        # the first further visit of everybody before anybody's second
        nth = torch.arange(len(owner)) - torch.repeat_interleave(free.cumsum(0) - free, free)
        key = nth + torch.rand(len(owner), generator=generator, dtype=torch.float64)
        chosen = owner[key.argsort()[:wanted]]
        return torch.bincount(chosen, minlength=len(times))
