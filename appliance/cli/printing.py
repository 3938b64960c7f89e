"""Findings and summaries for a terminal, or as JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from appliance.cli.check import Findings
from appliance.cli.status import problems
from appliance.manifests.status import text


def print_findings(findings: Findings, output: str, console: Console) -> None:
    """What `gatehouse check` found."""
    if output == "json":
        listed = [
            {"file": finding.file, "level": finding.level, **dataclasses.asdict(finding.problem)}
            for finding in findings.problems
        ]
        attached = [dataclasses.asdict(attachment) for attachment in findings.attachments]
        _print_json(
            {
                "files": findings.files,
                "objects": findings.objects,
                "errors": findings.errors,
                "findings": listed,
                "attachments": attached,
            },
            console,
        )
        return
    for finding in findings.problems:
        color = "red" if finding.level == "error" else "yellow"
        console.print(f"[{color}]{finding.level}[/]: {escape(text(finding.file, finding.problem))}", soft_wrap=True)
    for attachment in findings.attachments:
        fate = f"[red]would not attach[/]: {escape(attachment.refused)}" if attachment.refused else "attaches"
        console.print(f"{escape(attachment.route)} -> {escape(attachment.parent)}: {fate}", soft_wrap=True)
    verdict = f"{findings.errors} error{'' if findings.errors == 1 else 's'}" if findings.errors else "no errors"
    console.print(f"{findings.objects} objects in {findings.files} files, {verdict}", soft_wrap=True)


def print_status(summary: Mapping[str, Any], output: str, console: Console) -> None:
    """What `gatehouse status` read."""
    if output == "json":
        _print_json(summary, console)
        return
    console.print(f"{summary['server']}: {'ready' if summary['ready'][-1].endswith('passed') else 'not ready'}")
    for line in summary["ready"]:
        if line.startswith("[-]"):
            console.print(f"  [red]{escape(line.removeprefix('[-]'))}[/]", soft_wrap=True)
    _print_owners("Gateways", ("class", "addresses"), summary["gateways"], console)
    _print_owners("Listener sets", ("gateway",), summary["listener_sets"], console)
    _print_table(
        "Routes",
        ("KIND", "NAME", "HOSTNAMES", "PARENTS", "BACKENDS"),
        [
            (r["kind"], r["name"], ", ".join(r["hostnames"]), ", ".join(r["parents"]), ", ".join(r["backends"]))
            for r in summary["routes"]
        ],
        [r["problems"] for r in summary["routes"]],
        console,
        naming=2,
    )
    policies = summary["policies"]
    _print_table(
        "Policies",
        ("KIND", "NAME", "TARGETS"),
        [(p["kind"], p["name"], ", ".join(p["targets"])) for p in policies],
        [p["problems"] for p in policies],
        console,
        naming=2,
    )
    backends, files = summary["backends"], summary["files"]
    _print_table("Backends", ("NAME",), [(b["name"],) for b in backends], [b["problems"] for b in backends], console)
    down = summary["endpoints"]
    rows = [(e["backend"], e["address"]) for e in down]
    _print_table(
        "Endpoints out of service", ("BACKEND", "ADDRESS"), rows, [e["problems"] for e in down], console, naming=2
    )
    rows = [(f["path"], str(f["objects"])) for f in files]
    _print_table("Manifest files", ("FILE", "OBJECTS"), rows, [f["problems"] for f in files], console, naming=0)
    count = problems(summary)
    console.print("all is as asked" if not count else f"{count} problem{'' if count == 1 else 's'}")


def _print_owners(title: str, fields: Sequence[str], owners: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What has listeners, each with a row of its own. fields: what else to show of the owners."""
    rows, wrong = [], []
    for owner in owners:
        shown = [owner[field] if isinstance(owner[field], str) else ", ".join(owner[field]) for field in fields]
        rows.append((owner["name"], *shown, "", "", ""))
        wrong.append(owner["problems"])
        for listener in owner["listeners"]:
            port = f"{listener['protocol']} {listener['port']}"
            blank = [""] * len(fields)
            rows.append((f"  {listener['name']}", *blank, port, listener["hostname"], str(listener["routes"])))
            wrong.append(listener["problems"])
    _print_table(title, ("NAME", *map(str.upper, fields), "PORT", "HOSTNAME", "ROUTES"), rows, wrong, console)


def _print_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    wrong: Sequence[Sequence[str]],
    console: Console,
    *,
    naming: int = 1,
) -> None:
    """A table, and below it what is not right with its rows.

    naming: how many of the first columns name a row; an indented name belongs to the row above that is not.
    """
    if not rows:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in (*columns, "OK"):
        table.add_column(column, overflow="fold")
    for row, texts in zip(rows, wrong, strict=True):
        table.add_row(*(escape(cell) for cell in row), "[red]no[/]" if texts else "yes")
    console.print(table)
    owner = ""
    for row, texts in zip(rows, wrong, strict=True):
        named = " ".join(row[:naming])
        owner = owner if named.startswith(" ") else named
        label = f"{owner}, listener {named.strip()}" if named.startswith(" ") else named
        for line in texts:
            console.print(f"  [red]{escape(label)}{': ' if label else ''}[/]{escape(line)}", soft_wrap=True)
    console.print()


def _print_json(content: object, console: Console) -> None:
    console.file.write(json.dumps(content, indent=2) + "\n")
