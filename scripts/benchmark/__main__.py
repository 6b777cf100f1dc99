"""The command `scripts/bench`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import benchmark
from benchmark import report
from benchmark.measuring import NotMeasured, Row
from benchmark.rows import ROWS
from benchmark.workbench import Workbench


def main() -> None:
    """Measure the rows that the command line selects, and print them."""
    parser = _parser()
    options = parser.parse_args()
    names = options.rows.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    if options.pairs < 1:
        parser.error("--pairs must be 1 or more")
    with tempfile.TemporaryDirectory(prefix="envkit-bench-") as folder:
        bench = Workbench(
            folder=Path(folder).resolve(),
            pairs=options.pairs,
            mlflow_python=options.mlflow_python,
        )
        rows = [_measure(name, bench) for name in names]
    print(report.as_json(rows) if options.json else report.table(rows))


def _measure(name: str, bench: Workbench) -> Row:
    bench.log(f"Measuring {name}")
    try:
        return ROWS[name](bench)
    except NotMeasured as reason:
        return Row(name=name, target="not measured", note=str(reason))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rows",
        default=",".join(ROWS),
        metavar="A,B",
        help=f"of {', '.join(ROWS)} (default: all)",
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=7,
        metavar="N",
        help="how often each row is measured (default: 7)",
    )
    parser.add_argument(
        "--mlflow-python",
        type=Path,
        metavar="PATH",
        help="a Python with MLflow, scikit-learn and pandas",
    )
    parser.add_argument("--json", action="store_true", help="print every single time as JSON")
    return parser


if __name__ == "__main__":
    main()
