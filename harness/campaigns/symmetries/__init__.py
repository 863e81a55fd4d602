"""Symmetries of anybody's module of PyTorch: what is asked about, with which inputs, and what was found.

    inputs.py    inputs as the command line describes them, drawn at random
    subject.py   a module with a call of it: of the zoo, of a package or file, or an object
    user_code.py what code of the user raises, in one line
    judged.py    one family with its verdict
    finding.py   the families that a walk proposes, each checked, in training mode and in eval mode

Its code runs in this process: unlike an audit, nothing here limits its time or its memory.
"""
