"""Published results as records: what is claimed, where, with which parameters, and how to measure it.

`python -m validation` measures them all and writes docs/validation.md; tests/test_references.py holds the engine to
them. Each topic has a room: `pairs`, `networks`, `fields`, `noise`, `delays`, `pulses`. Nobody but `page` and
`pictures` knows them all.
"""
