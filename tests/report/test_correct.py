from bench.metrics.success import clean_rows
from bench.report.correct import correct_only_table


def test_the_table_is_over_originally_correct_images_and_says_so(run, tables):
    table = correct_only_table(run)
    clean = clean_rows(run.predictions)
    right = int((clean["predicted"] == clean["source"]).sum())
    assert 0 < right < len(clean)
    assert f"{right} of {len(clean)} pairs of image and victim" in table.notes[0]
    assert not any("partial" in note for note in table.notes)
    here, whole = ({r["attack"]: r for r in t.records} for t in (table, tables["in"]))
    assert here["identity"]["uasr_mean_percent"] == 0 < whole["identity"]["uasr_mean_percent"]
    assert here["mislgan"]["psnr_db"] == whole["mislgan"]["psnr_db"]
    clean_note = [note for note in table.notes if note.startswith("Clean accuracy")]
    assert clean_note == [n for n in tables["in"].notes if n.startswith("Clean accuracy")]
