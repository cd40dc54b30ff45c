def test_train_says_how_much_there_was_to_do(camobench, finished):
    code, out, err = camobench("train", *finished, "--victims", "img-resnet12", "--from-scratch")
    assert (code, out) == (0, "")
    assert "0 networks trained" in err
