"""``d2l doctor``: what is installed, what is wrong, how to mend it."""

from __future__ import annotations

import click

from d2l_core.cli._output import busy, print_json, print_table


@click.command(short_help="What is installed, what is wrong, how to mend it.")
@click.option("--json", "as_json", is_flag=True, help="Plain data instead of a table.")
def doctor(as_json: bool) -> int:
    """Examine the installation; exit status 1 if something would break a run."""
    from d2l_core._doctor import BROKEN, FINE, examine

    with busy("Loading each backend in a process of its own ..."):
        findings = examine()
    broken = [finding for finding in findings if finding.state == BROKEN]
    if as_json:
        print_json([finding.to_json() for finding in findings])
        return 1 if broken else 0
    print_table(("area", "what", "state", "found"), [(f.area, f.what, f.state, f.found) for f in findings])
    for finding in findings:
        if finding.state != FINE and finding.remedy:
            click.echo(f"{finding.what}: {finding.remedy}")
    click.echo(f"{len(broken)} broken." if broken else "Nothing here would break a run.")
    return 1 if broken else 0
