"""The same training by hand, each in its framework's idiom and best practice, importing nothing of ours.

Each module has ``FORMS``, the names of its forms (a literal, so that it can be read without importing the framework),
and ``prepare(name, form, weights, arrays, batch)``, which returns ``epoch(order)``: it trains over the examples in that
order and returns the loss of every step, from before the step's update, fetched once at the end.
"""
