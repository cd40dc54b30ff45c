"""The suites of the first simulator, which its shipped networks know; they go with those."""

from bench.suites.simcam.plan import SimcamSpec

SIMCAM_MINI_V1 = SimcamSpec(
    name="simcam-mini-v1",
    version=1,
    seed=20200,
    image_px=128,
    models_in=("simcam-01", "simcam-02", "simcam-03"),
    models_out=("simcam-07", "simcam-08", "simcam-09"),
    images_a=160,
    images_b=160,
    images_c=24,
)

SIMCAM_12_V1 = SimcamSpec(
    name="simcam12-v1",
    version=1,
    seed=20212,
    image_px=512,
    models_in=tuple(f"simcam-{i:02d}" for i in range(1, 7)),
    models_out=tuple(f"simcam-{i:02d}" for i in range(7, 13)),
    images_a=(765, 335, 330, 358, 379, 296),  # Table 1 of Andrews et al. (2020), in images
    images_b=(760, 324, 352, 345, 374, 353),
    images_c=100,
)

SIMCAM_12_SMALL_V1 = SimcamSpec(
    name="simcam12-small-v1",
    version=1,
    seed=20213,
    image_px=128,
    models_in=SIMCAM_12_V1.models_in,
    models_out=SIMCAM_12_V1.models_out,
    images_a=SIMCAM_12_V1.images_a,
    images_b=SIMCAM_12_V1.images_b,
    images_c=25,
)
