"""What senders must bear: killed, stopped, raced by orders, woken too often, told a wrong time.

Each row is played in a process of its own (`python -m chaos.senders ROW SCALE`), on a Postgres and
a Redis of its own. Who was written to is read from what arrived at the sinks, never from our own
tables; those are compared with it. The engine is reached by two doors: `tasks` and the rows.
"""
