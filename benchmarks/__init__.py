"""What Usher costs: figures with their goals, measured from outside (``docs/performance.md``).

What is compared is measured in turn, in short rounds with all processes up, and the least of each counts,
since other work only adds. Requests are complete, signed slash commands over 100 connections. A start
counts from the press until its person is told and the process has nothing left to do. A baseline says what
the least possible would cost: a bare Bolt app, a bare aiohttp loop, or a start written by hand
(``benchmarks/minimum.py``). Gaps between reads are measured where the provider receives them. ``--against
REVISION`` measures another one in turn.
"""
