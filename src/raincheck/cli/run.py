"""`raincheck run`: one method learns one stream."""

from pathlib import Path

from raincheck.commands import Parser, add_run_options


def run(arguments: list[str]) -> None:
    """Learns, scores, prints R."""
    mine = Parser("run", add_help=False)
    add_run_options(mine)
    options, rest = mine.parse_known_args(arguments)
    from raincheck.config import dump, parse, parser
    from raincheck.running.identity import identity

    if {"-h", "--help"} & set(rest):
        print(mine.format_help())
        parser().print_help()
        return
    if options.until is not None and options.until < 1:
        mine.error(f"--until must be 1 or more, not {options.until}")
    config = parse(rest, options.trust)  # ends here if help about a class is asked for
    if options.out is None:
        mine.error("--out DIR is missing")
    import yaml
    from rich.console import Console

    from raincheck.report.console import print_matrix
    from raincheck.run import run as run_one

    out = Path(options.out.replace("{id}", identity(yaml.safe_load(dump(config)))))
    print_matrix(run_one(config, out, options.until), Console())
    finished = (out / "report.json").exists()
    print(f"written to {out}" if finished else f"stopped after {options.until}, to go on in {out}")
