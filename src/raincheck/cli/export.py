"""`raincheck export`."""

from pathlib import Path

from raincheck.commands import Parser


def run(arguments: list[str]) -> None:
    """Exports, and says how exactly."""
    mine = Parser("export")
    mine.add_argument(
        "--weights",
        default="rrgnet",
        metavar="W",
        help="rrgnet (default), rrgnet-small, a weights file, or a run's folder",
    )
    mine.add_argument("--format", default="onnx", metavar="F", help="onnx (default) or torch (torch.export)")
    mine.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a .onnx or .pt2 file; replaced if it exists"
    )
    options = mine.parse_args(arguments)
    from raincheck.export.write import export as export_network

    difference = export_network(options.weights, options.out, options.format)
    print(f"written to {options.out}; differs from the network by {difference:.1e} at most")
