from __future__ import annotations

import asyncio

import pytest

from multiserve.mounts.proxied.patience import Patience


def wait(run_by_own_clock, act, seconds=0.05):
    """Wait in a block while something is done with its patience, and return the patience and whether it ended early."""

    async def whole():
        patience = Patience(seconds)
        try:
            async with patience:
                await act(patience)
        except TimeoutError:
            return patience, True
        return patience, False

    return run_by_own_clock(whole())


async def sleep(_patience):
    await asyncio.sleep(5)


async def rest(patience):
    patience.rest()
    await asyncio.sleep(0.2)


async def answer(patience):
    patience.answered()
    patience.wait()  # the rest of a body is still on its way
    await asyncio.sleep(0.2)


async def go_on(patience):
    for _ in range(5):
        await asyncio.sleep(0.03)
        patience.wait()


async def leave(patience):
    patience.answered()
    asyncio.get_running_loop().call_soon(patience.give_up)
    await asyncio.sleep(5)


@pytest.mark.parametrize(
    ("act", "is_early", "client_has_left"),
    [
        pytest.param(sleep, True, False, id="nothing happens"),
        pytest.param(rest, False, False, id="the client is waited for"),
        pytest.param(answer, False, False, id="the server has begun to answer"),
        pytest.param(go_on, False, False, id="the server is given more"),
        pytest.param(leave, True, True, id="the client leaves"),
    ],
)
def test_a_block_ends_early_or_not(run_by_own_clock, act, is_early, client_has_left):
    patience, was_early = wait(run_by_own_clock, act)
    assert (was_early, patience.is_exhausted, patience.client_has_left) == (is_early, is_early, client_has_left)


def test_what_comes_after_the_block_changes_nothing(run_by_own_clock):
    patience, was_early = wait(run_by_own_clock, rest)
    patience.give_up()
    patience.wait()
    assert not was_early
