"""The type of the arrays in which policies keep numbers of many arms or inventories side by side."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
