from bench.report.leaderboard.files import slug, slugs


def test_plain_names_stay():
    assert slugs(["cgan-img-wdf", "v1.2"]) == ["cgan-img-wdf", "v1.2"]


def test_no_name_leaves_its_folder_or_meets_another():
    hostile = ["../../etc/passwd", "..", "a b", "a_b", "A-b", "<script>", "", "x" * 300]
    found = [slug(name) for name in hostile]
    assert len(set(found)) == len(found)
    for name in found:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
        assert not name.startswith(".")
        assert 0 < len(name) < 100


def test_the_same_name_twice_is_numbered():
    assert slugs(["run", "run", "run"]) == ["run", "run--2", "run--3"]
