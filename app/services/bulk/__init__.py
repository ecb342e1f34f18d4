"""The bulk process: a second process that writes many rows while the window's own stays free to answer.

`process.py` is its end in the window's process, `__main__.py` and `work.py` are the process itself, `pipe.py` is what
they say to each other, and `pen.py` sees to it that one of the two writes at a time.
"""
