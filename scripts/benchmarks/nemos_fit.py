"""A population GLM by nemos, in an environment of its own: python nemos_fit.py PROBLEM.npz FIT.npz

PROBLEM.npz: x [bins, weights], y [bins, neurons], alpha. FIT.npz: weight, bias, and (CPU, wall) seconds of the second
fit; the first one compiles.
"""

import sys
import time

import nemos
import numpy as np

problem = np.load(sys.argv[1])
model = nemos.glm.PopulationGLM(
    observation_model="Poisson", regularizer="Ridge", regularizer_strength=float(problem["alpha"]), solver_name="LBFGS"
)
for _ in range(2):
    began = time.process_time(), time.perf_counter()
    model.fit(problem["x"], problem["y"])
    np.asarray(model.coef_)  # waits for it
    seconds = time.process_time() - began[0], time.perf_counter() - began[1]
np.savez(sys.argv[2], weight=np.asarray(model.coef_).T, bias=np.asarray(model.intercept_), seconds=seconds)
