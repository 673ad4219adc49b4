"""Stem of a path, `${stem:PATH}` in a configuration: what a file is called, without its folders and its ending.

Registered on import, which `runs.job` does in every process of a launcher: folders of runs are called so.
"""

from pathlib import Path

from omegaconf import OmegaConf

STEM = "stem"


def stem(path: object) -> str:
    return Path(str(path)).stem


OmegaConf.register_new_resolver(STEM, stem, replace=True)
