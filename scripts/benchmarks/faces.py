"""A step over 64 photos of 48 pixels: dlthink's loop against one written by hand, in photos a second.

Drawn faces, model=facenet, semi-hard triplets, AdamW, augmentation and averaged weights as in trainer=embedding, a
log line every 20 steps. Both train the same network from the same weights on the same batches, augmented by the same
draws (checked at the end).
"""

import numpy as np
import torch
from clock import now, repeats, report
from ours import Unexamined, train
from torch import nn

from dlthink.data.faces.faces import Faces
from dlthink.losses.embeddings.triplet import Triplet
from dlthink.models.facenet import FaceNet
from dlthink.training import rng

STEPS, BATCH, WIDTH = 40, 64, 16
WORDS = [
    "data=faces",
    f"model.width={WIDTH}",
    f"trainer.steps={STEPS}",
    "trainer.schedule=constant",
    "trainer.warmup=0",
]
WORDS += [f"trainer.batch={BATCH}", f"trainer.validate_every={STEPS}", "trainer.log_every=20", "optim.lr=1e-3"]


def by_hand(data: Faces) -> tuple[np.ndarray, nn.Module]:
    """Seconds, and the network."""
    split = data.train
    rng.seed(0)
    cost = Triplet()
    rng.seed(0)
    net = FaceNet(3, 48, 128, WIDTH)
    state = {k: v.detach() for k, v in net.state_dict().items()}
    smooth = [k for k, v in state.items() if v.is_floating_point()]
    averaged = {k: v.clone() for k, v in state.items()}
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-2, fused=True)
    generator, recent, step = torch.Generator().manual_seed(0), [], 0
    began = now()
    while step < STEPS:
        for index in split.epoch(BATCH, generator)[: STEPS - step]:
            x = split.augment(split.pixels[split.rows[index]].float().div_(127.5).sub_(1))
            triplet = cost(net(x), split.y[index])["triplet"]
            optimizer.zero_grad()
            triplet.backward()
            optimizer.step()
            step += 1
            decay = min(0.999, step / (step + 9))
            torch._foreach_lerp_([averaged[k] for k in smooth], [state[k] for k in smooth], 1 - decay)
            recent.append(triplet.detach())
            if step % 20 == 0:
                torch.stack(recent).mean().item()
                recent = []
    return now() - began, net


if __name__ == "__main__":
    data = Faces(identities=120, photos_each=8, size=48)
    ours, hand = [], []
    for _ in range(1 + repeats(7)):
        trainer = train(WORDS, data, metrics=Unexamined())
        seconds, net = by_hand(data)
        ours.append(trainer.seconds / STEPS / BATCH)
        hand.append(seconds / STEPS / BATCH)
        weights, same = (nn.utils.parameters_to_vector(each.parameters()) for each in (trainer.model, net))
        apart = ((weights - same).norm() / same.norm()).item()
        assert apart < 0.05, f"dlthink and the hand end {apart:.2g} apart: not the same training"
    report("a photo in training / by hand", round(1 / 0.95, 3), ours[1:], hand[1:])  # the first warmed up
