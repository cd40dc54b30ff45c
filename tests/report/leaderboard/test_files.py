from hypothesis import given
from hypothesis import strategies as st

from bench.report.leaderboard.files import slug, slugs


def test_plain_names_stay_and_the_same_one_is_numbered():
    assert slugs(["cgan-img-wdf", "v1.2"]) == ["cgan-img-wdf", "v1.2"]
    assert slugs(["run", "run", "run"]) == ["run", "run--2", "run--3"]


@given(
    st.lists(st.text() | st.sampled_from(["..", "../x", "a b", "a_b", "A-b", "<i>"]), unique=True)
)
def test_no_name_leaves_its_folder_or_meets_another(names):
    found = [slug(name) for name in names]
    assert len(set(found)) == len(found)
    for name in found:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert not name.startswith(".")
        assert 0 < len(name) < 100
