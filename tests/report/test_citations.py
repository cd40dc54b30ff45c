from bench.contract import ATTACKS, VICTIMS
from bench.report.citations import bibtex


def test_every_paper_of_what_ships_has_an_entry():
    papers = {e.spec.name: e.spec.paper for e in (*ATTACKS, *VICTIMS)}
    text = bibtex(papers)
    assert text.startswith("@misc{camobench,")
    assert [name for name in papers if f"@misc{{{name}," in text] == []
    heads = [line for line in text.splitlines() if line.startswith("% ")]
    assert any("mi-fgsm" in line and "spam" not in line for line in heads)
    assert text.count("{") == text.count("}")


def test_a_paper_is_found_by_author_and_year():
    text = bibtex({"one": "after Karaküçük & Dirik 2015", "both": "Chen & Stamm 2018, 2019; me"})
    assert "% one\n@article{karakucuk-2015" in text
    assert "% both\n@inproceedings{chen-2018" in text
    assert "% both\n@misc{chen-2019" in text
    assert "dong" not in text


def test_what_nobody_knows_is_as_its_author_states_it():
    text = bibtex({"fog": "Me & You 2031, 5 %", "mist": ""})
    assert "@misc{fog,\n  title = {Me \\& You 2031, 5 \\%}" in text
    assert "% mist: no paper stated" in text
