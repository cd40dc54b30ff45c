import pytest

from tests.cli.words import SMALL


@pytest.fixture
def finished(smoke):
    return ["--store", smoke.store.root, *SMALL]
