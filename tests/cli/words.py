"""What the tests of the command line share."""

SMALL = ["--suite", "simcam-smoke-v2", "--recipe", "smoke", "--device", "cpu"]
SCRATCH = [*SMALL, "--from-scratch"]


def one_line(err):
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    return err
