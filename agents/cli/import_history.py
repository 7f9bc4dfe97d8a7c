"""`restock import history`: a shop's sales as the demand history that `restock evaluate` walks through."""

import argparse
import csv
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from agents.cli.import_file import drafts_of
from agents.cli.import_publish import compare_names, refuse, show_before
from agents.cli.known_items import NONE
from agents.cli.terminal import warn
from agents.imports.history import demand_table
from agents.imports.report import Report
from agents.imports.table import zone
from stream.errors import WrongUse
from stream.setting_sources import load


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a row is refused, or when nothing was written because something is to look at."""
    settings, report = load(args.config), Report()
    args.out = args.out or "-"
    with drafts_of(args, settings, report, datetime.now(UTC)) as drafts:
        table = demand_table(drafts, zone(args.timezone), report)
    compare_names(report, args.known_items or NONE, settings, is_dry_run=False)
    held = bool(report.alarms()) and not args.yes
    more = show_before(args, report, [])
    if held:
        return refuse(args, report, more)
    if args.dry_run:
        warn("dry run: nothing was written")
    else:
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([table.columns, *table.rows])
        _write(args.out, written.getvalue())
    if args.json:
        shown = report.as_json() | more | {"history_rows": len(table.rows)}
        print(json.dumps(shown), file=sys.stderr if args.out == "-" else sys.stdout)
    return 1 if report.rejected else 0


def _write(out: str, text: str) -> None:
    if out == "-":
        sys.stdout.write(text)
        return
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--out={out} cannot be written ({error.strerror}): name another file") from None
