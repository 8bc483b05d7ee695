"""``d2l backends`` and ``d2l lessons``: what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from d2l_core.cli._output import busy, print_json, print_table

if TYPE_CHECKING:
    from d2l_core._probe import Probe
    from d2l_core.lessons import Lesson

_as_json = click.option("--json", "as_json", is_flag=True, help="Plain data instead of a table.")


@click.command(short_help="Which backends there are, their devices and precisions.")
@_as_json
def backends(as_json: bool) -> None:
    """List the backends: version, devices, precisions, or the command that installs one."""
    from d2l_core._probe import probe_all
    from d2l_core.backend import adapters

    with busy("Loading each backend in a process of its own ..."):
        probes = probe_all(adapters().values())
    default = _default_name()
    if as_json:
        print_json([_as_data(probe, default) for probe in probes])
        return
    print_table(
        ("backend", "version", "devices (precisions)", "state"),
        [_backend_row(probe, default) for probe in probes],
    )
    for probe in probes:
        if not probe.available:
            click.echo(f"To make {probe.adapter.name} available: {probe.adapter.install}")


def _default_name() -> str | None:
    """The backend that a run takes, or None when D2L_BACKEND names none."""
    from d2l_core.backend import default_name
    from d2l_core.errors import UsageError

    try:
        return default_name()
    except UsageError as error:
        click.echo(f"Warning: D2L_BACKEND is of no use: {error}", err=True)
        return None


def _as_data(probe: Probe, default: str | None) -> dict[str, Any]:
    adapter = probe.adapter
    return probe.to_json() | {"default": adapter.name == default, "limits": dict(adapter.limits)}


def _backend_row(probe: Probe, default: str | None) -> tuple[str, ...]:
    devices = ", ".join(f"{name} ({', '.join(map(str, bits))})" for name, bits in probe.devices.items())
    state = probe.problem or ("available, the default" if probe.adapter.name == default else "available")
    return probe.adapter.name, f"{probe.adapter.title} {probe.version or ''}".rstrip(), devices or "-", state


@click.command(short_help="Which lessons there are, their data and times.")
@_as_json
def lessons(as_json: bool) -> None:
    """List the lessons: section, title, data, times, and the backends on which they are verified."""
    from d2l_core.lessons import lessons as all_lessons

    described = [_describe(lesson) for lesson in all_lessons().values()]
    if as_json:
        print_json(described)
        return
    print_table(
        ("section", "lesson", "title", "data", "time at each scale", "verified on"),
        [_lesson_row(lesson) for lesson in described],
    )
    click.echo(_coverage(described))


def _coverage(described: list[dict[str, Any]]) -> str:
    """How many slots, a section on a backend each, are verified of those that are planned."""
    from d2l_core.backend import adapters
    from d2l_core.lessons._registry import planned_sections

    own = [name for name, adapter in adapters().items() if adapter.package.startswith("d2l_backends.")]
    planned = planned_sections()
    verified = sum(
        len(lesson["sections"]) * len(set(lesson["verified"]) & set(own)) for lesson in described if lesson["verified"]
    )
    return f"Verified: {verified} of {len(planned) * len(own)} slots ({len(planned)} sections on {len(own)} backends)."


def _describe(lesson: Lesson) -> dict[str, Any]:
    from d2l_core.lessons._verify import verified_backends

    header = lesson.header
    return {
        "name": header.name,
        "sections": header.sections,
        "title": header.title,
        "needs": header.needs,
        "data": header.data,
        "scales": header.time,
        "promises": {scale: [str(promise) for promise in made] for scale, made in header.promises.items()},
        "verified": verified_backends(lesson),
    }


def _lesson_row(lesson: dict[str, Any]) -> tuple[str, ...]:
    times = ", ".join(f"{scale} {time}" for scale, time in lesson["scales"].items())
    lists = (", ".join(lesson[key]) for key in ("sections", "data", "verified"))
    sections, data, verified = lists
    return sections, lesson["name"], lesson["title"], data, times, verified or "-"
