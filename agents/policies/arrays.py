"""The types of arrays in which policies keep numbers of many arms or inventories, and their places, side by side."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
Singles = npt.NDArray[np.float32]
