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
