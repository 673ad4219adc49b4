"""What is fitted on validation: as a checkpoint holds it, or anew where cost or examination are set otherwise."""

from typing import Any

from dlthink.errors import BadInput
from dlthink.training import evaluation
from dlthink.training.checkpoint import Checkpoint
from dlthink.training.experiment_parts import Parts

Settings = dict[str, dict[str, Any]]  # of each part that fits something, by name


def changed(saved: Checkpoint, fitted_by: Settings) -> list[str]:
    """Names of settings, `loss.calibrate`, that are others now than when the checkpoint's cost was fitted."""
    before = saved.state.get("fitted_by")
    if not isinstance(before, dict):  # a run of before this was kept
        return []
    found = []
    for part, now in fitted_by.items():
        was = before.get(part)
        was = was if isinstance(was, dict) else {}
        found += [f"{part}.{name}" for name in {**was, **now} if was.get(name) != now.get(name)]
    return found


def check_unchanged(saved: Checkpoint, fitted_by: Settings, reader: str) -> None:
    """Raises BadInput where something would have to be fitted on validation, which `reader` does not read."""
    if names := changed(saved, fitted_by):
        raise BadInput(
            f"{', '.join(names)}: is fitted on the run's validation samples, which {reader} does not read; "
            f"dlthink train resume=RUN with this setting fits it and keeps it, without a step more"
        )


def validation_fit(saved: Checkpoint, parts: Parts) -> tuple[dict[str, float], str | None]:
    """What the examination fitted, and a note where it and the installed cost were fitted anew; both are changed."""
    names = changed(saved, parts.fitted_by)
    if not names:
        return saved.fitted, None
    device = parts.trainer.precision.device
    val = parts.split("val").to(device)
    batches = evaluation.batches_of(val, parts.trainer.examine_batch, device)
    fitted = evaluation.examine(parts.model, parts.loss, parts.metrics, val, batches).fitted
    return fitted, f"{', '.join(names)}: fitted anew on the {len(val):,} samples of validation"
