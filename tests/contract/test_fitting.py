import math
from functools import partial

import numpy as np
import pytest
import torch

from bench.contract.fitting import timed_fit
from bench.types import CamobenchError, FitReport, as_json


def test_a_training_reports_finite_numbers_be_they_numpys_or_torchs():
    curves = {"loss": [(np.int64(1), np.float32(2)), (1.5, 1)]}
    report = timed_fit(lambda: FitReport(figures={"loss": torch.tensor(1.5)}, curves=curves))
    assert report.figures == {"loss": 1.5}
    assert as_json(report.curves) == {"loss": [[1, 2.0], [1.5, 1.0]]}
    for wrong in ({"loss": math.nan}, {"loss": "good"}, {"loss": [("epoch 1", 1)]}, None):
        for told in ("figures", "curves"):
            with pytest.raises(CamobenchError, match="`fit` must report finite numbers"):
                timed_fit(partial(FitReport, **{told: wrong}))
