"""`loss.calibrate=`: which recalibration a cost of real numbers ends with."""

from typing import Literal

from dlthink.calibration.conformal import Conformal
from dlthink.calibration.conformity import ConformityScore
from dlthink.calibration.isotonic import Isotonic
from dlthink.calibration.recalibration import Recalibration
from dlthink.calibration.scale import Scale

Calibrate = Literal["none", "scale", "isotonic", "conformal"]


def recalibration(calibrate: Calibrate, n_targets: int, score: type[ConformityScore]) -> Recalibration:
    """By name, not yet fitted. score: how far a target lies from its prediction, for conformal intervals."""
    match calibrate:
        case "none":
            return Recalibration()
        case "scale":
            return Scale(n_targets)
        case "isotonic":
            return Isotonic(n_targets)
        case "conformal":
            return Conformal(n_targets, score)
