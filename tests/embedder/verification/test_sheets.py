"""Verification as rows of CSV files."""

from embedder.verification.lfw import read_pairs, verify
from embedder.verification.sheets import VERIFY_COLUMNS, verification_rows
from tests.embedder.verification.test_lfw import TEN_FOLD, make_table


def test_a_pair_without_a_face_has_no_score(tmp_path):
    (tmp_path / "pairs.txt").write_text(TEN_FOLD)
    pairs = read_pairs(tmp_path / "pairs.txt")
    result = verify(pairs, make_table(statuses=["no_face", *["ok"] * 7]))
    rows = {
        name: [dict(zip(VERIFY_COLUMNS[name], row, strict=True)) for row in of_file]
        for name, of_file in verification_rows({"mine": result}).items()
    }
    missing = [row for row in rows["verify_pairs"] if not row["is_enrolled"]]
    assert [row["score"] for row in missing] == [None] * 2
    assert all("Ada/Ada_0001" in (row["photo_a"], row["photo_b"]) for row in missing)
    assert sum(row["is_genuine"] for row in rows["verify_pairs"]) == 4
    assert rows["verify_roc"][0] == {"network": "mine", "threshold": None, "far": 0.0, "tar": 0.0}
    assert {row["measure"] for row in rows["verify_rates"]} == {"accuracy", "accuracy_std", "auc", "eer", "tar_at_far"}
    assert {(row["n_pairs"], row["n_people"]) for row in rows["verify_rates"]} == {(8, 4)}
