"""The rules of the memory, with a clock of our own and no network."""

from __future__ import annotations

from typing import Any

from xr2._engine import OLDER_ANSWERS_REFUSED_FOR, Engine, Landing, Slot
from xr2._wire import Answer, Key
from xr2.errors import AuthError, NotFound, ServerError

A = Key("a", "production")


def answer(content: str | None, revision: int | None = None, version: int = 1, **more: Any) -> Answer:
    data = None if content is None else {"id": "id-a", "slug": "a", "content": content, "version": version}
    return Answer(
        **{
            "data": data,
            "meta": {},
            "etag": "e",
            "revision": revision,
            "storable": True,
            "behind": False,
            **more,
        }
    )


def fetch(engine: Engine, now: float, reply: Answer, key: Key = A) -> Landing:
    ticket, mine = engine.join(engine.look(key, now).slot, now, object)
    assert mine
    return engine.land(ticket, reply, now)


def age(engine: Engine, now: float, key: Key = A) -> float:
    return engine.look(key, now).age


def event(revision: int, version: int | None = 2, **more: Any) -> dict[str, Any]:
    return {
        "slug": "a",
        "prompt_id": "id-a",
        "label": "production",
        "version": version,
        "revision": revision,
        **more,
    }


def test_without_a_stream_a_copy_ages() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("one", 5))
    assert engine.is_fresh(engine.look(A, 101))
    assert not engine.is_fresh(engine.look(A, 101.01))


def test_a_copy_made_before_the_greeting_is_covered_if_nothing_came_between() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("one", 5))
    assert engine.hello(5, 101) == []
    assert age(engine, 1000) == 0


def test_a_copy_older_than_the_greeting_must_be_confirmed() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("one", 5))
    assert [slot.key for slot in engine.hello(6, 103)] == [A]
    assert age(engine, 104) == 4
    fetch(engine, 104, answer(None, 6))
    assert age(engine, 1000) == 0


def test_an_answer_on_its_way_during_the_greeting() -> None:
    engine = Engine(10, 1.0)
    ticket, _ = engine.join(engine.look(A, 100).slot, 100, object)
    engine.hello(7, 101)
    engine.land(ticket, answer("one", 6), 102)
    assert age(engine, 102) == 2
    ticket, _ = engine.join(engine.look(A, 102).slot, 102, object)
    assert ticket.min_revision is None
    engine.land(ticket, answer(None, 7), 103)
    assert age(engine, 200) == 0


def test_age_begins_at_the_last_sign_of_life_when_the_stream_is_lost() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    engine.heard(115)
    engine.stream_lost()
    assert age(engine, 115.5) == 0.5


def test_age_begins_at_the_change() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    assert [slot.key for slot in engine.changed(event(6), 200)] == [A]
    assert age(engine, 200.5) == 0.5


def test_a_change_that_the_copy_already_has_is_no_news() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("two", 6, version=2))
    assert engine.changed(event(6), 101) == []
    assert age(engine, 200) == 0


def test_other_labels_and_prompts_are_left_alone() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    latest, pinned, staging = Key("a", "latest"), Key("a", version=1), Key("a", "staging")
    for key in (A, latest, pinned, staging):
        fetch(engine, 100, answer("one", 5), key)
    keys = {slot.key for slot in engine.changed(event(6), 101)}
    assert keys == {A, latest, pinned}
    assert engine.changed(event(7, slug="b", prompt_id="id-b"), 101) == []


def test_a_former_slug_hears_of_the_prompt_too() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    old, by_id = Key("old-name", "production"), Key("id-a", "production")
    for key in (old, by_id):
        fetch(engine, 100, answer("one", 5), key)
    assert {slot.key for slot in engine.changed(event(6), 101)} == {old, by_id}


def test_a_change_during_the_fetch_makes_it_be_repeated() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    engine.changed(event(6), 101)
    ticket, _ = engine.join(engine.look(A, 101).slot, 101, object)
    engine.changed(event(7, version=3), 102)
    assert engine.land(ticket, answer("two", 6, version=2), 103).again
    assert age(engine, 103) == 2
    assert not fetch(engine, 103, answer("three", 7, version=3)).again
    assert age(engine, 200) == 0


def test_an_answer_of_a_server_that_lags_behind_the_stream_is_not_covered() -> None:
    engine = Engine(10, 1.0)
    engine.hello(50, 100)
    assert engine.changed(event(60), 101) == []
    fetch(engine, 102, answer("old", 55))
    assert age(engine, 104) == 2
    fetch(engine, 104, answer("new", 60, version=2))
    assert age(engine, 200) == 0


def test_the_server_is_asked_for_an_announced_change() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    engine.changed(event(6), 101)
    ticket, _ = engine.join(engine.look(A, 101).slot, 101, object)
    assert ticket.min_revision == 6


def test_a_copy_in_use_is_confirmed_once_a_minute() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    assert not engine.is_due(engine.look(A, 159), 159)
    assert engine.is_due(engine.look(A, 161), 161)
    fetch(engine, 161, answer(None, 5))
    assert not engine.is_due(engine.look(A, 162), 162)


def test_a_lagging_node_makes_no_storm_of_requests() -> None:
    engine = Engine(10, 1.0)
    engine.hello(5, 100)
    fetch(engine, 100, answer("one", 5))
    engine.changed(event(9), 101)
    landing = fetch(engine, 101, answer(None, 5))
    assert not landing.again
    assert age(engine, 101.5) == 0.5


def test_older_answers_are_refused_but_not_for_ever() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("new", 50))
    landing = fetch(engine, 102, answer("old", 40))
    assert landing.snapshot is not None
    assert landing.snapshot.data["content"] == "new"
    landing = fetch(engine, 102 + OLDER_ANSWERS_REFUSED_FOR, answer("restored", 41))
    assert landing.snapshot is not None
    assert landing.snapshot.data["content"] == "restored"


def test_a_node_that_says_it_is_behind_is_never_believed_over_a_newer_copy() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("new", 50))
    for now in (102, 200):
        landing = fetch(engine, now, answer("old", 40, behind=True))
        assert landing.snapshot is not None
        assert landing.snapshot.data["content"] == "new"
    landing = fetch(engine, 201, answer("old", 40))
    assert landing.snapshot is not None
    assert landing.snapshot.data["content"] == "new", "what it said before counts for nothing"
    landing = fetch(engine, 201 + OLDER_ANSWERS_REFUSED_FOR, answer("restored", 40))
    assert landing.snapshot is not None
    assert landing.snapshot.data["content"] == "restored"


def test_a_greeting_with_a_lower_revision_covers_nothing() -> None:
    engine = Engine(10, 1.0)
    engine.hello(50, 100)
    fetch(engine, 100, answer("new", 50))
    engine.stream_lost()
    assert [slot.key for slot in engine.hello(3, 101)] == [A]
    assert age(engine, 105) == 5


def test_what_must_not_be_stored_is_not() -> None:
    engine = Engine(10, 1.0)
    landing = fetch(engine, 100, answer("b", 5, storable=False))
    assert landing.snapshot is not None
    assert engine.look(A, 100).snapshot is None


def test_not_modified_without_a_copy_is_asked_again_without_etag() -> None:
    engine = Engine(10, 1.0)
    fetch(engine, 100, answer("one", 5))
    ticket, _ = engine.join(engine.look(A, 102).slot, 102, object)
    assert ticket.etag == "e"
    engine.forget_all()
    assert engine.land(ticket, answer(None, 5), 103).snapshot is None
    assert ticket.etag is None
    assert engine.land(ticket, answer("one", 5), 103).snapshot is not None


def test_failures_evict_what_they_speak_of() -> None:
    engine = Engine(10, 1.0)
    other = Key("b", "production")

    def fail(error: Exception, *, outage: bool = False) -> None:
        ticket, _ = engine.join(engine.look(A, 200).slot, 200, object)
        engine.fail(ticket, error, 200, outage=outage)

    for error, left in (
        (NotFound("x", status=404), (False, True)),
        (AuthError("x", status=403), (False, True)),
        (AuthError("x", status=401), (False, False)),
        (ServerError("x", status=500), (True, True)),
    ):
        fetch(engine, 100, answer("one", 5))
        fetch(engine, 100, answer("other", 5), other)
        fail(error, outage=isinstance(error, ServerError))
        held = tuple(engine.look(key, 200).snapshot is not None for key in (A, other))
        assert held == left, error


def test_waits_grow_in_an_outage_and_end_with_it() -> None:
    engine = Engine(10, 1.0)
    waits = []
    for _ in range(6):
        ticket, _ = engine.join(engine.look(A, 0).slot, 0, object)
        engine.fail(ticket, ServerError("x"), 0, outage=True)
        waits.append(engine._retry_at)
    assert engine.in_outage
    assert waits[0] < 0.3
    assert 1.4 < waits[-1] <= 2.0
    fetch(engine, 1, answer("one"))
    assert not engine.in_outage


def test_room_is_made_for_the_newest() -> None:
    engine = Engine(2, 1.0)
    keys = [Key(name, "production") for name in "abc"]
    for key in keys:
        fetch(engine, 100, answer(key.slug, 5), key)
    assert len(engine) == 2
    assert engine.look(keys[2], 100).snapshot is not None
    assert engine.look(keys[0], 100).snapshot is None


def test_one_event_refreshes_a_bounded_number() -> None:
    engine = Engine(1000, 1.0)
    engine.hello(5, 100)
    for user in range(200):
        fetch(engine, 100 + user, answer("one", 5), Key("a", "production", user_id=str(user)))
    slots: list[Slot] = engine.changed(event(6), 400)
    assert len(slots) == 64
    assert slots[0].key.user_id == "199"


def test_events_without_sense_do_nothing() -> None:
    engine = Engine(10, 1.0)
    engine.hello(None, 100)
    fetch(engine, 100, answer("one"))
    assert age(engine, 200) == 0
    assert engine.changed({}, 200) == []
    assert engine.changed({"slug": 7, "revision": "x", "label": []}, 200) == []
