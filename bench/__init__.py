"""The harness: jobs, contracts, data, metrics and tables; it knows no attack and no victim by name.

How one image travels, from the command to its cell (files under `bench/` unless said):

- `cli/matrix.py` and `cli/requests.py` read the command line; `plan/names/selection.py` knows who
  is meant, and all becomes one `plan/request.py`.
- `suites/base.py` keeps sets of images in the store, of a source (`suites/simcam/source.py` is one)
  that makes what is missing.
- `plan/graph.py` gives every network a key from its spec; `plan/session.py` finds with
  `plan/cells.py` which rows are missing, and makes a job (`jobs/job.py`) of each attack and shard.
- `execute/base.py` starts jobs whose needs are done: in this process, in worker processes
  (`local.py`) or on a cluster (`cluster.py`); `jobs/run.py` does one with what its process keeps
  open (`jobs/workplace.py`, `jobs/networks.py`).
- `jobs/scoring/score.py` scores a shard: `scorer.py` reads the image, `items.py` asks the attack
  (`contract/participant.py` checks, clips, rounds; `attacks/cgan/attack.py` is one), `condition.py`
  weakens it or saves it as JPEG perhaps, `lookout.py` sees whether it looks wrong,
  `metrics/distortion.py` and `metrics/lpips.py` measure it, each victim (`victims/convnet.py` is
  one) names a camera, and `rows.py` writes the file.
- `plan/results/output.py` copies rows and entries to the folder; `records/load.py` reads it and
  `records/frames.py` checks it, `report/statistics.py` has `metrics/success.py` count,
  `metrics/paired.py` draws scenes for its interval, `paper.py` and `render.py` in
  `report/tables/` print the cell.

What to touch for something new, a file and a line that registers it:

- an attack, a victim: a file in `attacks/` or `victims/`, its spec in the `specs.py` there; one of
  yours: a file alone (`my.py:MyAttack`), or an entry point `camobench.attacks` or `.victims`;
- a metric: an `Entry` of a function and its `MetricSpec` (`records/metric.py`), among the `ENTRIES`
  of `metrics/distortion.py`, or, of rows, of `metrics/success.py`, whose first one ranks; one of
  yours: an entry point `camobench.metrics` to one such or a list;
- a suite of simulated cameras: a `SimcamSpec` in `suites/simcam/plan.py`, its name in `SIMULATED`;
  another: a file under `suites/` that gives a `SuiteSource`, in `suites/catalogue.py` a branch of
  `load_suite`, and its spec among the `SPECS` that `list` shows;
- a detector of treated images: a function in `detect.py`, a line of its `_MEASURES`;
- an executor: a subclass of `execute.base.Executor`, a line of `EXECUTORS` in
  `execute/__init__.py`.

A further condition takes more, for its column is in what others wrote before: fields of `Condition`
(`jobs/scoring/condition.py`), its column in `records/frames.py`, options of `run` and `evaluate`,
and every reader of conditions that has to tell it from strengths and JPEG saves.
"""
