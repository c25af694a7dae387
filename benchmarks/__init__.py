"""Benchmarks of what Usher costs: figures with goals, measured from outside (``docs/performance.md``).

Variants that are compared are measured alternately, in short rounds while all processes are running. The
lowest figure of each counts, because other work on the machine only adds to it. Requests are complete, signed
slash commands, sent over 100 connections. A start is measured from the press until its person has been told
and the process has nothing left to do. Baselines show the least possible cost: a bare Bolt app, a bare
aiohttp loop, or a start written by hand (``benchmarks/minimum.py``). The gaps between reads are measured
where the provider receives them. ``--against REVISION`` also measures another revision, alternating with this
one.
"""
