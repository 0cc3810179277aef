"""What asyncio takes for what benches/bridge.rs measures: medians, on the Python that runs this."""

import asyncio
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def median(name, call, calls, runs=9):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - start) / calls)
    print(f"{name:<58} {statistics.median(times) * 1e6:>9.1f} us")


async def ready():
    return 1


async def spawned():
    return await asyncio.create_task(ready())


async def many(count):
    tasks = [asyncio.create_task(ready()) for _ in range(count)]
    for task in tasks:
        await task


async def sleeps(count, seconds):
    await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(count)))


def in_a_new_loop():
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(ready())
    finally:
        loop.close()


print("Python", sys.version.split()[0])
median("asyncio.run", lambda: asyncio.run(ready()), 200)
loop = asyncio.new_event_loop()
median("run_until_complete on a loop that stays", lambda: loop.run_until_complete(ready()), 2000)
median("the same with a task", lambda: loop.run_until_complete(spawned()), 2000)
with ThreadPoolExecutor(4) as pool:
    median("ThreadPoolExecutor and a new loop", lambda: pool.submit(in_a_new_loop).result(), 200)
median("100,000 tasks", lambda: loop.run_until_complete(many(100_000)), 1, runs=3)
start = time.perf_counter()
loop.run_until_complete(sleeps(10_000, 0.5))
print(f"10000 sleeps of 500 ms at once: {(time.perf_counter() - start) * 1e3:.1f} ms")
loop.close()
