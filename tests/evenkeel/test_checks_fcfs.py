from evenkeel.evidence import checks


def test_a_false_statement_has_a_witness() -> None:
    check = checks()["fcfs.constant-uniform"]
    witness = check.run(check.trial()).witness
    assert witness is not None
    assert witness["G"] == 2
    assert witness["B"] == 1
