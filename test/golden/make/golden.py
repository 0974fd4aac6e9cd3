"""What both makers of golden tables share: where tables lie, and how their answers are written down.

The answers are what was given to the writers, never what a reader found.
"""
import json
import pathlib
import shutil

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "own"


def begin(writer: str) -> pathlib.Path:
    """An empty folder for the tables of one writer, whose old answers are forgotten."""
    for folder in (FOLDER / writer, FOLDER / "expected_rows" / writer):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    answers = read()
    write({name: answer for name, answer in answers.items() if not name.startswith(f"{writer}/")})
    return FOLDER / writer


def answer(name: str, rows: list[dict], by_version: dict[int, int], note: str, **facts) -> None:
    """Notes the right rows of a table at its newest version, how many there were at earlier ones, and what it is for."""
    lines = sorted(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows)
    (FOLDER / "expected_rows" / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    said = {"version": max(by_version), "rowsByVersion": {str(v): n for v, n in by_version.items()}, "note": note}
    write({**read(), name: {**said, **facts}})


def tidy(table: pathlib.Path) -> None:
    """Leaves what belongs to the table: no checksums of Hadoop's file system."""
    for path in table.rglob(".*.crc"):
        path.unlink()


def read() -> dict:
    path = FOLDER / "expected.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(answers: dict) -> None:
    text = json.dumps(dict(sorted(answers.items())), indent=2, ensure_ascii=False)
    (FOLDER / "expected.json").write_text(f"{text}\n")
