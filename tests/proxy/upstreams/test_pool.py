"""The pool: last in, first out, within a limit, and nothing is kept for addresses that nobody knows."""

from __future__ import annotations

import gc

from proxy.upstreams.pool import Address, Pool

HERE: Address = ("192.0.2.1", 80)


class Connection:
    def __init__(self, pool: Pool[Connection], address: Address = HERE) -> None:
        self.stack = pool.stack(address)
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.stack.forget(self)


def test_the_most_recently_used_goes_out_first() -> None:
    pool: Pool[Connection] = Pool()
    first, second = Connection(pool), Connection(pool)
    assert first.stack.give(first, 2) and second.stack.give(second, 2)
    assert (pool.take(HERE), pool.take(HERE), pool.take(HERE)) == (second, first, None)


def test_no_more_wait_than_the_limit_and_addresses_are_apart() -> None:
    pool: Pool[Connection] = Pool()
    first, second, other = Connection(pool), Connection(pool), Connection(pool, "/run/backend")
    assert first.stack.give(first, 1) and not second.stack.give(second, 1) and other.stack.give(other, 1)
    assert (pool.idle_count(HERE), pool.idle_count("/run/backend"), pool.idle_count(("x", 1))) == (1, 1, 0)


def test_one_that_closed_while_it_waited_is_not_given_out() -> None:
    pool: Pool[Connection] = Pool()
    first, second = Connection(pool), Connection(pool)
    for each in (first, second):
        each.stack.give(each, 9)
    second.close()
    second.close()
    assert pool.take(HERE) is first


def test_closing_the_pool_closes_what_waits() -> None:
    pool: Pool[Connection] = Pool()
    waiting = [Connection(pool, (f"192.0.2.{number}", 80)) for number in range(5)]
    for each in waiting:
        each.stack.give(each, 9)
    pool.close()
    assert all(each.closed for each in waiting) and not any(pool.idle_count(("192.0.2.1", 80)) for _ in waiting)


def test_an_address_is_forgotten_with_its_last_connection() -> None:
    pool: Pool[Connection] = Pool()
    connection = Connection(pool)
    connection.stack.give(connection, 9)
    assert pool.take(HERE) is connection
    del connection
    gc.collect()
    assert len(pool._stacks) == 0
