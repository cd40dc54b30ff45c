import json


def test_compare_across_folders_and_within_one_cell(camobench, pristine, run_dir):
    words = ["compare", f"{pristine}:mislgan", f"{run_dir}:cgan-img", "--format", "json"]
    code, out, _ = camobench(*words)
    assert code == 0
    here = ["compare", pristine, "mislgan", "cgan-img", "--format", "json"]
    rows = [json.loads(text)["rows"] for text in (out, camobench(*here)[1])]
    assert [r["difference_points"] for r in rows[0]] == [r["difference_points"] for r in rows[1]]
    code, out, _ = camobench(*here, "--victim", "pef-resnet18", "--target", "cam-a")
    assert code == 0
    assert json.loads(out)["rows"][0]["mcnemar_p"] <= 1


def test_an_attack_alone_is_compared_with_doing_nothing(camobench, pristine):
    code, out, _ = camobench("compare", pristine, "mislgan", "--format", "json")
    assert code == 0
    rows = json.loads(out)["rows"]
    assert {(r["split"], r["measure"]) for r in rows} == {
        *(("in", "tasr"), ("in", "uasr"), ("out", "tasr"))
    }
    assert {r["second"] for r in rows} == {"identity"}
    tables = json.loads(camobench("table", pristine, "--format", "json")[1])
    (there,) = (r for r in tables[0]["rows"] if r["attack"] == "identity")
    assert rows[0]["second_percent"] == there["tasr_mean_percent"] > 0
    alone = camobench("compare", f"{pristine}:mislgan", "--format", "json")[1]
    assert json.loads(alone)["rows"][0]["difference_points"] == rows[0]["difference_points"]
