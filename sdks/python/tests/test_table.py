"""The rules of the tables, and the short way of rendering, without any network."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from xr2 import ConfigurationError, Xr2
from xr2._feed import BACKOFF_CAP, BACKOFF_FIRST, Backoff
from xr2._program import Program
from xr2._table import MOST_PENDING, OLDER_BUNDLES_REFUSED_FOR, Change, Table, read_item
from xr2._template import render_data
from xr2.errors import RateLimited, RenderError, ServerError


def item(slug: str, content: str = "x", version: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": f"id-{slug}", "slug": slug, "content": content, "version": version, "label": "production",
            "syntax": "simple", "variables": [], "rendered": True, **more}  # fmt: skip


def put(revision: int, slug: str, content: str = "x", **more: Any) -> Change:
    return Change(revision, f"id-{slug}", slug, item(slug, content, **more))


def gone(revision: int, slug: str) -> Change:
    return Change(revision, f"id-{slug}", slug, None)


def filled(revision: int = 10, *items: dict[str, Any]) -> Table:
    table = Table("production")
    table.begin_loading()
    load(table, revision, *(items or (item("a", "one"),)))
    return table


def load(table: Table, revision: int, *items: dict[str, Any], now: float = 100.0, behind: bool = False) -> bool:
    return table.land(revision, f'"r{revision}"', table.prepare(items, revision), now - 1, now, behind=behind)


def text(table: Table, name: str) -> str | None:
    found = table.entries.get(name)
    return found[0].data["content"] if found is not None else None


def test_an_older_bundle_is_refused_until_it_must_be_believed() -> None:
    table = filled(10, item("a", "new"))
    assert not load(table, 9, item("a", "old"))
    assert text(table, "a") == "new"
    assert table.confirmed_at == 99.0
    assert not load(table, 9, item("a", "old"), now=100.0 + OLDER_BUNDLES_REFUSED_FOR - 1)
    assert load(table, 9, item("a", "restored"), now=101.0 + OLDER_BUNDLES_REFUSED_FOR)
    assert (text(table, "a"), table.revision) == ("restored", 9)


def test_a_node_that_says_it_is_behind_never_passes_for_a_restored_server() -> None:
    table = filled(10, item("a", "new"))
    for now in (100.0, 150.0, 200.0):
        assert not load(table, 9, item("a", "old"), now=now, behind=True)
    assert not load(table, 9, item("a", "old"), now=201.0), "only from here on it might be true"
    assert not table.not_modified(9, 204.0, 205.0, behind=True)
    assert not load(table, 9, item("a", "old"), now=205.0 + OLDER_BUNDLES_REFUSED_FOR)
    assert (text(table, "a"), table.revision) == ("new", 10)
    assert load(table, 9, item("a", "restored"), now=205.0 + 2 * OLDER_BUNDLES_REFUSED_FOR)
    assert load(table, 11, item("a", "newer"), now=230.0, behind=True), "what is newer is newer, whoever says it"
    assert text(table, "a") == "newer"


def test_a_bundle_is_asked_for_that_has_what_is_missing_and_never_what_is_here() -> None:
    table = Table("production")
    table.floor = 15
    assert table.min_revision == 15
    load(table, 10, item("a"))
    assert table.min_revision == 15
    load(table, 20, item("a"))
    assert table.min_revision == 0, "or a server that was set back could not say so"


def test_frames_up_to_the_bundle_are_in_it_already() -> None:
    table = filled(10, item("a", "one"))
    assert not table.take(put(9, "a", "older"))
    assert not table.take(gone(10, "a"))
    assert text(table, "a") == "one"
    assert table.take(put(11, "a", "two"))
    assert table.if_none_match is None, "the ETag stands for what was before the frame"


def test_frames_are_applied_once_more_on_top_of_a_bundle() -> None:
    table = filled(10, item("a", "one"), item("b", "one"))
    table.begin_loading()
    table.take(put(12, "a", "twelve"))
    table.take(gone(13, "b"))
    table.take(put(11, "c", "in the bundle"))
    assert load(table, 11, item("a", "eleven"), item("b", "eleven"), item("c", "bundle"))
    assert [text(table, name) for name in "abc"] == ["twelve", None, "bundle"]


def test_too_many_frames_while_a_bundle_is_on_its_way_need_another_one() -> None:
    table = filled(10)
    table.begin_loading()
    for revision in range(11, 12 + MOST_PENDING):
        table.take(put(revision, "a", str(revision)))
    load(table, 11, item("a", "eleven"))
    assert not table.complete
    table.begin_loading()
    load(table, 11 + MOST_PENDING, item("a", "last"))
    assert table.complete


def test_live_only_with_everything_that_was_announced() -> None:
    table = filled(10)
    table.goal = 12
    table.follow(connected=True, now=101.0)
    assert not table.live
    table.advance(12)
    table.follow(connected=True, now=101.0)
    assert table.live
    table.follow(connected=False, now=150.0)
    assert (table.live, table.confirmed_at) == (False, 150.0)


def test_a_table_that_misses_something_is_not_advanced() -> None:
    table = filled(10)
    table.floor = 15
    table.advance(20)
    assert table.revision == 10
    assert load(table, 15, item("a"))
    table.advance(20)
    assert table.revision == 20


def test_not_modified_of_a_server_that_lags_behind_confirms_nothing() -> None:
    table = filled(10)
    assert not table.not_modified(9, 200.0, 201.0)
    assert table.confirmed_at == 99.0
    assert table.not_modified(10, 200.0, 201.0)
    assert table.not_modified(None, 200.0, 201.0)
    assert table.confirmed_at == 200.0


def test_unchanged_prompts_stay_the_objects_they_are() -> None:
    table = filled(10, item("a", "one"), item("b", "one"))
    before = {name: table.entries[name][0] for name in "ab"}
    load(table, 11, item("a", "one"), item("b", "two", version=2))
    assert table.entries["a"][0] is before["a"]
    assert table.entries["b"][0] is not before["b"]


def test_former_slugs_never_hide_present_ones() -> None:
    table = filled(10, item("a", "a"), item("b", "b", former_slugs=["a", "old", 7]))
    assert [text(table, name) for name in ("a", "old", "b", "id-b")] == ["a", "b", "b", "b"]
    table.take(put(11, "b", "b2"))
    assert [text(table, name) for name in ("a", "old", "b")] == ["a", None, "b2"]
    table.take(gone(12, "b"))
    assert [text(table, name) for name in ("a", "b", "id-b")] == ["a", None, None]
    assert len(table) == 1


def test_frames_in_any_order_come_to_what_the_last_ones_say() -> None:
    """Whatever arrives twice, late or during a bundle: per prompt the highest revision wins."""
    chance = random.Random(5)
    for _ in range(200):
        history = [
            put(r, chance.choice("abc"), str(r)) if chance.random() < 0.8 else gone(r, chance.choice("abc"))
            for r in range(11, 40)
        ]
        truth: dict[str, str | None] = dict.fromkeys("abc")
        for change in history:
            truth[change.slug] = change.item["content"] if change.item is not None else None
        table = filled(10, item("z"))
        base = chance.randrange(11, 40)
        at_base: dict[str, dict[str, Any]] = {}
        for change in history[: base - 10]:
            if change.item is not None:
                at_base[change.slug] = change.item
            else:
                at_base.pop(change.slug, None)
        started, landed = sorted((chance.randrange(0, base - 10 + 1), chance.randrange(base - 10, 30)))
        for at, change in enumerate(history):
            if at == started:
                table.begin_loading()
            if at == landed:
                load(table, base, *at_base.values())
            table.take(change)
        if landed >= len(history):
            load(table, base, *at_base.values())
        assert {name: text(table, name) for name in "abc"} == truth


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"id": "i", "slug": "s"}, {"id": 1, "slug": "s", "content": ""}, {"id": "i", "slug": None, "content": ""},
     {"id": "i", "slug": "s", "messages": 7}, {"id": "i", "slug": "s", "messages": [7]}, {"id": "i", "slug": "s", "content": "", "variables": 1},
     {"id": "i", "slug": "s", "content": 7, "syntax": "simple"}],
)  # fmt: skip
def test_what_is_no_prompt(value: Any) -> None:
    assert read_item(value) is None


def test_waits_between_streams_grow_and_are_spread() -> None:
    backoff = Backoff()
    first = [Backoff().after(None, healthy=True) for _ in range(200)]
    assert min(first) < BACKOFF_FIRST / 4 < BACKOFF_FIRST / 2 < max(first) <= BACKOFF_FIRST
    for _ in range(20):
        backoff.after(None, healthy=False)
    late = [backoff.after(ServerError("x"), healthy=False) for _ in range(200)]
    assert min(late) < BACKOFF_CAP / 4 < BACKOFF_CAP / 2 < max(late) <= BACKOFF_CAP
    assert backoff.after(RateLimited("x", retry_after=40), healthy=False) >= 40
    assert backoff.after(RateLimited("x", retry_after=10**9), healthy=False) <= 60 + BACKOFF_CAP
    assert backoff.after(None, healthy=True) <= BACKOFF_FIRST


SPECS: list[dict[str, Any]] = [
    {"name": "a", "type": "string", "required": True},
    {"name": "a", "type": "string", "default": "da"},
    {"name": "a", "type": "integer", "min": 2},
    {"name": "a", "type": "any"},
    {"name": "b", "type": "object"},
    {"name": "b", "type": "boolean", "default": False},
    {"name": "b", "discovered": True, "type": "string"},
    {"name": "c", "type": "number"},
]
VALUES: list[Any] = ["x", "", "{{ b }}", 3, 1, True, None, 2.0, {"c": "deep"}, {"c": {"d": 1}}, ["l"], object()]


def test_the_short_way_and_the_long_way_agree() -> None:
    chance = random.Random(3)
    pieces = ["{{a}}", "{{ b }}", "{{ b.c }}", "{{b.c.d}}", "{{ c }}", "text", "{{", "}}", " "]
    for _ in range(4000):
        data = {
            "slug": "p", "syntax": chance.choice(["simple", "simple", "none"]),
            "content": "".join(chance.choice(pieces) for _ in range(chance.randint(0, 6))),
            "variables": chance.sample(SPECS, chance.randint(0, 3)),
        }  # fmt: skip
        given = {
            name: chance.choice(VALUES) for name in chance.sample(["a", "b", "c", "unknown"], chance.randint(0, 3))
        }
        assert outcome(Program(data).render, given, "p") == outcome(
            lambda v, s, d=data: render_data(d, v, s), given, "p"
        )


def outcome(render: Any, given: dict[str, Any], slug: str) -> Any:
    try:
        return render(given, slug)
    except RenderError as error:
        return error.code, error.variables


def test_new_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="bundle_limit"):
        Xr2("xr2_k", bundle_limit=-1)
    monkeypatch.setenv("XR2_SNAPSHOT", str(tmp_path / "s"))
    monkeypatch.chdir(tmp_path)
    first, second = Xr2("xr2_key_0123456789"), Xr2("xr2_key_0123456789", snapshot="other")
    assert first._settings.snapshot == str(tmp_path / "s")
    assert second._settings.snapshot == str(tmp_path / "other")
    assert first._core.hub is not second._core.hub
    third = Xr2("xr2_key_0123456789", label="staging", max_age=5)
    assert third._core.hub is first._core.hub
    for client in (first, second, third):
        client.close()
