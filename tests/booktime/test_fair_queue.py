import asyncio

import pytest

from booktime.serving.fair_queue import COMPANY, MOST_WAITING, MOST_WAITING_OF_ADDRESS, Asker, FairQueue, asker_of


def scope(path="/", client="192.0.2.1", **headers):
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"path": path, "client": (client, 1), "headers": pairs}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scope(client="192.0.2.1"), scope(client="192.0.2.2")),
        (scope(cookie="sessionid=alice"), scope(cookie="sessionid=bob")),
        (scope(cookie="csrftoken=x; sessionid=alice"), scope(cookie="csrftoken=x")),
        (scope(authorization="Token a"), scope(authorization="Token b")),
        (scope("/basket/"), scope("/office-admin/")),
        (scope(client="2001:db8:1:2::1"), scope(client="2001:db8:1:3::1")),
    ],
)
def test_two_askers_are_told_apart(one, other):
    assert asker_of(one) != asker_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (scope("/products/all/"), scope("/products/crime/")),
        (scope(client="2001:db8:1:2::1"), scope(client="2001:db8:1:2:ffff::9")),
        (scope(client="::ffff:192.0.2.1"), scope(client="192.0.2.1")),
        (scope(client="fe80::1%eth0"), scope(client="fe80::2")),
        (scope(cookie="theme=a; sessionid=alice"), scope(cookie="sessionid=alice; theme=b")),
    ],
)
def test_one_asker_is_known_again(one, other):
    assert asker_of(one) == asker_of(other)


@pytest.mark.parametrize("client", [None, ("", 0), ("not an address", 1), (":::", 1)])
def test_unknown_address_is_an_address_too(client):
    assert asker_of({"path": "/", "client": client, "headers": []})


def asker(address="192.0.2.1", session="", part=""):
    return Asker(address, part, session.encode())


def on_a_loop(test):
    async def run():
        return await test()

    return lambda: asyncio.run(run())


@on_a_loop
async def test_who_asks_for_much_leaves_places_to_others():
    turns = FairQueue(4)
    much = [turns.ask(asker(part="search")) for _ in range(10)]
    assert sum(turn.done() for turn in much) == 2
    assert turns.ask(asker(part="basket")).done()
    assert turns.ask(asker(address="192.0.2.2")).done()
    assert turns.free == 0


@on_a_loop
async def test_one_address_never_has_all_places():
    turns = FairQueue(4)
    given = [turns.ask(asker(session=f"made up {n}")) for n in range(20)]
    assert sum(turn.done() for turn in given) == 3
    assert turns.ask(asker(address="192.0.2.2")).done()


@on_a_loop
async def test_next_place_is_for_who_has_fewest_and_each_keeps_their_sequence():
    turns = FairQueue(4)
    flood = [turns.ask(asker(part="search")) for _ in range(6)]
    other = [turns.ask(asker(f"192.0.2.{n}")) for n in (2, 3, 4)]
    turns.give_back(asker(part="search"))
    assert [turn.done() for turn in other] == [True, True, True]
    assert [turn.done() for turn in flood] == [True, True, False, False, False, False]
    turns.give_back(asker("192.0.2.2"))
    assert sum(turn.done() for turn in flood) == 2
    turns.give_back(asker(part="search"))
    assert [turn.done() for turn in flood] == [True, True, True, False, False, False]


@on_a_loop
async def test_who_is_not_alone_has_one_place_until_others_have_been_away_for_a_while():
    turns = FairQueue(4)
    turns.ask(asker(part="basket"))
    flood = [turns.ask(asker(part="search")) for _ in range(9)]
    assert sum(turn.done() for turn in flood) == 1
    turns.give_back(asker(part="basket"))
    assert sum(turn.done() for turn in flood) == 1
    turns.company_at -= COMPANY
    turns.give_back(asker(part="search"))
    assert sum(turn.done() for turn in flood) == 3


@on_a_loop
async def test_those_who_wait_are_served_in_turn():
    turns = FairQueue(1)
    holder = asker("holder")
    turns.ask(holder)
    served = []
    for _ in range(3):
        for name in ("a", "b", "c"):
            turns.ask(asker(name)).add_done_callback(lambda _, name=name: served.append(name))
    turns.give_back(holder)
    for _ in range(8):
        await asyncio.sleep(0)
        turns.give_back(asker(served[-1]))
    await asyncio.sleep(0)
    assert served == ["a", "b", "c"] * 3


@on_a_loop
async def test_nothing_is_left_behind():
    turns = FairQueue(2)
    one, other = asker("192.0.2.1"), asker("192.0.2.2")
    first, second, third = turns.ask(one), turns.ask(one), turns.ask(other)
    turns.leave(one, second)
    assert first.done() and third.done() and not second.done()
    turns.leave(other, third)
    turns.give_back(one)
    assert (turns.free, turns.waiting, turns.queues, turns.taken, turns.waiting_of) == (2, 0, {}, {}, {})


@on_a_loop
async def test_too_many_of_one_asker_are_turned_away_and_of_others_are_not():
    turns = FairQueue(1)
    turns.ask(asker())
    assert all(turns.ask(asker()) for _ in range(MOST_WAITING))
    assert turns.ask(asker()) is None
    assert turns.ask(asker("192.0.2.2"))


@on_a_loop
async def test_made_up_sessions_wait_behind_another_part_of_the_site_and_are_too_many_together():
    turns = FairQueue(4)
    flood = [turns.ask(asker(session=f"made up {n}", part="search")) for n in range(MOST_WAITING_OF_ADDRESS + 3)]
    assert turns.ask(asker(session="one more", part="search")) is None
    for turn in flood[-2:]:
        turns.leave(asker(session=f"made up {flood.index(turn)}", part="search"), turn)
    honest = turns.ask(asker(part="basket"))
    assert not honest.done()
    turns.give_back(asker(session="made up 0", part="search"))
    assert honest.done()
